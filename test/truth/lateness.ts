/** What a row may differ in that tells of an end which no program saw: it is told when the socket is destroyed, or later. */
import { holds } from './check.ts';
import type { Expectation } from './expected.ts';
import type { Row } from './rows.ts';

/** Its time, and what the socket no longer holds by then: the state it left, and the error if connect() took it. */
const UNKNOWN_LATER: readonly string[] = [
  'late',
  'ts',
  'state',
  'verdict',
  'errno',
  'errno_known',
  'reset_direction',
];

export const isOnlyLate = (row: Row, { fields }: Expectation): boolean =>
  row['late'] === true &&
  fields['late'] === false &&
  Object.entries(fields).every(
    ([name, wanted]) => UNKNOWN_LATER.includes(name) || holds(wanted, row[name] ?? '(absent)', row),
  );
