/** The columns that the consumer adds. */
import { consumer, type Field } from './field.ts';

/** Columns the consumer adds to each row of both tables: where the row came from. */
export const ORIGIN_FIELDS: readonly Field[] = [
  consumer('origin', 'text', '', 'Transport the row came by: topic, or spool:<host_id>:<agent_epoch>.'),
  consumer('origin_partition', 'u32', '', 'Partition of the topic; 0 for a spool.'),
  consumer('origin_offset', 'u64', '', 'Offset of the message, or batch_seq of a spool.', {
    codec: 'Delta(8), ZSTD(1)',
  }),
];

/** Column the consumer adds to each event. */
export const STORED_EVENT_FIELDS: readonly Field[] = [
  consumer(
    'ts_suspect',
    'bool',
    '',
    'ts is more than two days from the batch, or from the broker where the time of the batch is so wrong; the row is filed under the day of that.',
  ),
];
