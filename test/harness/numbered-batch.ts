/** Batches that tests can tell apart by their number. */
import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import { datumOf, NOW_US } from '../spool-writer.ts';

/** Events of each. */
export const ROWS = 10;

/** Batch `batchSeq` with ten events of its own, and the account of its CPU up to it. */
export function batch(batchSeq: number, change: Partial<BatchEnvelope> = {}): Uint8Array {
  const last = batchSeq * ROWS;
  const events = Array.from({ length: ROWS }, (_, index) => ({ seq: last - ROWS + 1 + index }));
  const none = { failed: 0, folded: 0, filtered: 0, folded_ahead: 0, filtered_ahead: 0, spool_dropped: 0 };
  const cpus = [{ cpu: 0, seq_last: last, rows: last, rows_ahead: 0, ...none }];
  return datumOf({ agent_epoch: NOW_US, kernel_epoch: NOW_US, batch_seq: batchSeq, cpus, ...change }, events);
}
