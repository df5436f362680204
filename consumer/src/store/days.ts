/** Which days the tables keep, and batches whose time does not fit. */
import { isSuspect } from '@tcptrail/schemas/filing.ts';
import { timeText } from '@tcptrail/schemas/time-text.ts';
import type { StoreDecoded } from './range.ts';

const DAY_MS = 86_400_000;
/** Younger than the tables' TTL, less a day for clocks. */
const KEPT_DAYS = 6;

/** Rows of days before may have aged away. */
export function oldestDayKept(nowMs = Date.now()): number {
  return Math.floor(nowMs / DAY_MS) - KEPT_DAYS;
}

/** What is wrong with the time of a batch, and what becomes of its rows; undefined when nothing is. */
export function misfitOf(
  { envelope, filedTs, batchDay }: StoreDecoded['batches'][number],
  nowMs = Date.now(),
): string | undefined {
  const { host_id, batch_seq, batch_ts } = envelope;
  const what = `batch ${batch_seq} of host ${host_id} says ${timeText(batch_ts)}`;
  if (filedTs !== batch_ts)
    return `${what} and came to the broker at ${timeText(filedTs)}: it is filed under that day; set the clock of the host right`;
  if (batchDay < oldestDayKept(nowMs))
    return `${what}: the tables drop its rows at once or soon, as they do with rows so old; if it is not so old, set the clock of the host right`;
  if (filedTs > nowMs * 1000 && isSuspect(filedTs, nowMs * 1000))
    return `${what}, which is to come: the tables keep its rows until then; set the clock of the host right`;
  return undefined;
}
