/** Days are closed by one at a time, of several consumers and whoever else does it. */
import { withOriginLease } from './origin-lease.ts';
import type { ClickHouse } from './store/clickhouse.ts';
import { type ClosedDay, closeDays } from './tiers/close-days.ts';

/** Rejects with ORIGIN_BUSY while another does it, and as `closeDays`. */
export async function closeDaysAlone(
  clickhouse: ClickHouse,
  nowMs: number = Date.now(),
): Promise<readonly ClosedDay[]> {
  return await withOriginLease(clickhouse, { origin: 'tiers', originPartition: 0, waitMsMax: 0 }, (lease) =>
    closeDays(clickhouse, { nowMs, lease }),
  );
}
