/** What a batch is called, to tell it from every other, and to look for it in the table. */
import type { Batch } from './range.ts';

/** `part`: this one, or one that it was split from. */
export function batchName(batch: Batch, part = batch.batch_part): string {
  return `${wholeName(batch)}/${part}`;
}

/** Without the part: common to all that one batch was split into. */
export function wholeName({ host_id, boot_id, agent_epoch, batch_seq }: Batch): string {
  return `${host_id}/${boot_id}/${agent_epoch}/${batch_seq}`;
}

/** Columns of a `Batch`, and its `wholeName`, of tcp_batches AS stored. */
export const BATCH_COLUMNS =
  'stored.host_id AS host_id, stored.boot_id AS boot_id, toUnixTimestamp64Micro(stored.agent_epoch) AS agent_epoch, batch_seq, batch_part';
export const WHOLE_NAME =
  "concat(stored.host_id, '/', stored.boot_id, '/', toString(toUnixTimestamp64Micro(stored.agent_epoch)), '/', toString(batch_seq))";
