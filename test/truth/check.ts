/** What a field must be: a value, or a check that says in words what it wants. */
import type { Row, Value } from './rows.ts';

export interface Check {
  readonly text: string;
  holds(value: Value, row: Row): boolean;
}

export type Wanted = Value | Check;

export const isCheck = (wanted: Wanted): wanted is Check =>
  typeof wanted === 'object' && !Array.isArray(wanted);

export const holds = (wanted: Wanted, value: Value, row: Row): boolean =>
  isCheck(wanted) ? wanted.holds(value, row) : String(wanted) === String(value) && value !== undefined;

export const describe = (wanted: Wanted): string => (isCheck(wanted) ? wanted.text : String(wanted));

/** Both ends count. */
export const between = (low: number, high: number): Check => ({
  text: `${low} to ${high}`,
  holds: (value) => typeof value === 'number' && value >= low && value <= high,
});

export const atLeast = (low: number): Check => between(low, Number.MAX_SAFE_INTEGER);

export const oneOf = (...values: readonly Value[]): Check => ({
  text: values.join(' or '),
  holds: (value) => values.includes(value as never),
});

export const all = (...checks: readonly Check[]): Check => ({
  text: checks.map(({ text }) => text).join(', and '),
  holds: (value, row) => checks.every((check) => check.holds(value, row)),
});

/** A value that other fields of the row tell. */
export const sameAs = (text: string, of: (row: Row) => number, slack = 0): Check => ({
  text,
  holds: (value, row) => typeof value === 'number' && Math.abs(value - of(row)) <= slack,
});

export const number = (row: Row, name: string): number => Number(row[name]);
