/** The consumer's error catalogue: every code once, with what it means. */
import { AppError } from '@tcptrail/schemas/app-error.ts';

export const ERRORS = {
  CONSUMER_SPOOL_MISSING: 'The spool folder cannot be read.',
  CONSUMER_SPOOL_IN_USE: 'Another consumer reads the spool.',
  CONSUMER_PARTITION_LOST: 'A partition went to another consumer.',
  CONSUMER_TOPIC_REWOUND: 'A partition went back to messages before those that were read.',
  CONSUMER_TOPIC_ANEW: 'The topic was deleted and made again.',
  ORIGIN_BUSY: 'Another process stores what comes from the same place.',
  CONSUMER_LETTER_REFUSED: 'The dead-letter topic does not take what cannot be stored.',
  CONSUMER_PORT_TAKEN: 'The metrics port is in use.',
  CLICKHOUSE_UNREACHABLE: 'ClickHouse does not answer.',
  CLICKHOUSE_DENIED: 'ClickHouse refuses the user or the password.',
  CLICKHOUSE_REFUSED: 'ClickHouse refuses a statement for good.',
  CLICKHOUSE_ROWS_REFUSED: 'ClickHouse refuses rows for good.',
  CLICKHOUSE_UNWRITABLE: 'A ClickHouse, or its table, takes no rows now.',
  CLICKHOUSE_ANOTHER: 'An address leads to another ClickHouse.',
  CLICKHOUSE_BUSY: 'ClickHouse cannot do it now.',
  CLICKHOUSE_NO_CLUSTER: 'The server knows no cluster of that name.',
  CLICKHOUSE_NO_VOLUME: 'The server knows no such storage policy or volume.',
  CLICKHOUSE_NO_GUARANTEE: 'The server cannot give exactly-once inserts.',
  STORE_ROWS_REFUSED: 'ClickHouse refuses rows of a range for good.',
  STORE_RANGE_TOO_LARGE: 'What is to be inserted of a range is too long to note.',
  STORE_LEDGER: 'The stored rows are not what was inserted.',
  MIGRATION_CHANGED: 'An applied migration was changed.',
  MIGRATION_NEWER: 'The database is newer than this program.',
  MIGRATION_FORM: 'The database was made for one node, and a cluster is configured, or the other way round.',
  MIGRATION_LOCKED: 'Another runner migrates the database.',
} as const;
export type ErrorCode = keyof typeof ERRORS;

export function failure(
  code: ErrorCode,
  message: string,
  options: { readonly cause?: unknown; readonly exitCode?: number } = {},
): AppError {
  return new AppError(code, message, options);
}
