/** What a row may differ in that tells of an end which no program saw: it is told when the socket is destroyed, or later. */
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

/** `untrue`: names of the fields that are not as expected. */
export const isOnlyLate = (row: Row, untrue: readonly string[]): boolean =>
  row['late'] === true && untrue.includes('late') && untrue.every((name) => UNKNOWN_LATER.includes(name));
