/** What a row must be. */
import type { Wanted } from './check.ts';
import type { Row, Value } from './rows.ts';

export type Fields = Readonly<Record<string, Wanted>>;

export interface Expectation {
  readonly kind: string;
  readonly namespace: number;
  /** Which rows it means. */
  readonly key: Readonly<Record<string, Value>>;
  readonly fields: Fields;
  readonly least: number;
  readonly most: number;
}

export const isRow = (row: Row, { kind, key }: Expectation): boolean =>
  row['kind'] === kind && Object.entries(key).every(([name, value]) => row[name] === value);
