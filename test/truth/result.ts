/** What a scenario came to. */
import { compare } from './compare.ts';
import type { Finished } from './create-truth.ts';
import { COLUMN_OF, type Column, type Failure, type FailureKind, failureOf } from './failure.ts';
import type { Row } from './rows.ts';
import type { Scenario } from './scenario.ts';
import { untoldOf } from './untold.ts';

export interface Result {
  readonly scenario: Scenario;
  readonly rows: number;
  readonly fields: number;
  readonly failures: readonly Failure[];
  readonly seconds: number;
}

/** A scenario that was played. */
export interface Done {
  readonly scenario: Scenario;
  readonly finished?: Finished;
  readonly error?: Error;
  readonly seconds: number;
}

export const count = ({ failures }: Result, column: Column): number =>
  failures.filter(({ kind }) => COLUMN_OF[kind] === column).length;

/** `elsewhere`: its rows in namespaces that are not its. */
export function resultOf({ scenario, finished, error, seconds }: Done, elsewhere: readonly Row[]): Result {
  const failures: Failure[] = error ? [failureOf(error)] : [];
  if (!finished) return { scenario, rows: 0, fields: 0, failures, seconds };
  const { expectations, networks, rows } = finished;
  const seen = networks.map(({ inode, snmp }) => ({ namespace: inode, rows: rows.of(inode), snmp }));
  const found = compare(expectations, seen, untoldOf(rows.missingPrograms()), elsewhere);
  const add = (kind: FailureKind, lines: readonly string[]): void => {
    for (const line of lines) failures.push({ kind, line });
  };
  add('wrong', found.wrong);
  add('late', found.late);
  // What the kernel skipped is nobody's row, but the agent tells that it did.
  add('short', rows.unexcused(found.short));
  add('missing', found.missing);
  // One that broke off has not told all that was to come.
  if (!error) add('invented', found.invented);
  return { scenario, rows: found.rows, fields: found.fields, failures, seconds };
}
