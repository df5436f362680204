/** What outlives the events is written by one at a time, of several consumers and whoever else does it. */
import { keepHeld } from './keep/held-events.ts';
import { type OriginLease, withOriginLease } from './origin-lease.ts';
import type { ClickHouse } from './store/clickhouse.ts';
import { type ClosedDay, closeDays } from './tiers/close-days.ts';

/** Who holds it closes days, copies held rows, changes holds or forgets rows; nobody else does meanwhile. Rejects with ORIGIN_BUSY, and as `use` does. */
export async function withKeepingLease<T>(
  clickhouse: ClickHouse,
  waitMsMax: number,
  use: (lease: OriginLease) => Promise<T>,
): Promise<T> {
  return await withOriginLease(clickhouse, { origin: 'tiers', originPartition: 0, waitMsMax }, use);
}

/** Rejects with ORIGIN_BUSY while another does it, and as `closeDays`. */
export async function closeDaysAlone(
  clickhouse: ClickHouse,
  nowMs: number = Date.now(),
  settleMs = 0,
): Promise<readonly ClosedDay[]> {
  return await withKeepingLease(clickhouse, 0, (lease) => closeDays(clickhouse, { nowMs, lease, settleMs }));
}

/** Gives how many rows were copied. Rejects with ORIGIN_BUSY while another does it, and as `keepHeld`. */
export async function keepHeldAlone(clickhouse: ClickHouse): Promise<number> {
  const { copied } = await withKeepingLease(clickhouse, 0, (lease) => keepHeld(clickhouse, lease));
  return copied;
}
