/** What the publisher must still know after a crash: `cursor/kafka.json`. */
import type { Place } from '@tcptrail/spool/cursor.ts';
import { z } from 'zod';

/** Name of the publisher among the spool's readers. */
export const READER = 'kafka';

const PLACE = z.object({ segment: z.string(), position: z.int().min(0) });

const CURSOR = PLACE.extend({
  /** Batches up to here may have been sent; they go again, marked `maybe_duplicate`. */
  doubt: PLACE.optional(),
  /** Without an fsync a cursor from another boot may be older than what was sent. */
  bootId: z.string(),
  /** Partition of the batches of an agent run, by its start: chosen once, so that a batch sent again meets itself. */
  partitions: z.record(z.string(), z.int().min(0)),
  /** Batches with more events are split. Kept while anything is in doubt: parts sent again must be the same parts. */
  partEventsMax: z.int().min(1).optional(),
});

/** Everything before the place is acknowledged. */
export type PublishCursor = Readonly<z.infer<typeof CURSOR>>;

/** Throws when the value is no such cursor. */
export const parsePublishCursor = (value: unknown): PublishCursor => CURSOR.parse(value);

export const START: Place = { segment: '', position: 0 };
