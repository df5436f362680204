/** What ClickHouse sends as Parquet. */
import { cliError } from '../errors.ts';

/** Throws for an answer that broke off, or ends in an error. */
export function assertParquet(tail: Uint8Array): void {
  const end = Buffer.from(tail).toString('latin1');
  if (!end.endsWith('PAR1')) throw cliError('CLI_QUERY_FAILED', ['the answer broke off', 'unknown']);
}
