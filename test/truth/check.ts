/** What a field must be: a value, or a check that says in words what it wants. */
import type { Row, Value } from './rows.ts';

export interface Check {
  readonly text: string;
  holds(value: Value, row: Row): boolean;
  /** What it comes to in that row. */
  of?(row: Row): Wanted;
  /** It holds for whatever a row may say: nothing is compared by it. */
  readonly cannotFail?: boolean;
}

export type Wanted = Value | Check;

export const isCheck = (wanted: Wanted): wanted is Check =>
  typeof wanted === 'object' && !Array.isArray(wanted);

export const holds = (wanted: Wanted, value: Value, row: Row): boolean =>
  isCheck(wanted) ? wanted.holds(value, row) : String(wanted) === String(value) && value !== undefined;

/** In that row. */
export function cannotFail(wanted: Wanted, row: Row): boolean {
  if (!isCheck(wanted)) return false;
  return wanted.of ? cannotFail(wanted.of(row), row) : wanted.cannotFail === true;
}

export function describe(wanted: Wanted, row: Row): string {
  if (!isCheck(wanted)) return String(wanted);
  if (!wanted.of) return wanted.text;
  const what = describe(wanted.of(row), row);
  return wanted.text === '' ? what : `${what} (${wanted.text})`;
}

/** Both ends count. */
export const between = (low: number, high: number): Check => ({
  text: `${low} to ${high}`,
  holds: (value) => typeof value === 'number' && value >= low && value <= high,
  // No number of a row is signed.
  cannotFail: low <= 0 && high >= Number.MAX_SAFE_INTEGER,
});

export const atLeast = (low: number): Check => between(low, Number.MAX_SAFE_INTEGER);

export const oneOf = (...values: readonly Value[]): Check => ({
  text: values.join(' or '),
  holds: (value) => values.includes(value as never),
});

export const all = (...wanted: readonly Wanted[]): Check => ({
  text: wanted.map((one) => describe(one, {})).join(', and '),
  holds: (value, row) => wanted.every((one) => holds(one, value, row)),
  cannotFail: wanted.every((one) => isCheck(one) && one.cannotFail === true),
});

/** A value that other fields of the row tell. */
export const sameAs = (text: string, of: (row: Row) => number, slack = 0): Check => ({
  text,
  holds: (value, row) => typeof value === 'number' && Math.abs(value - of(row)) <= slack,
});

/** What must be there is told by other fields of the row; `text` says why, '' where that goes without saying. */
export const derived = (text: string, of: (row: Row) => Wanted): Check => ({
  text,
  of,
  holds: (value, row) => holds(of(row), value, row),
});

export const number = (row: Row, name: string): number => Number(row[name]);
