/**
 * Sums of days whose events are all there yet are summed anew from what remains.
 *
 * A day is opened before its events go: from then on the views read the events. Killed in between it stays open, and
 * the consumer closes it.
 */
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { TIERS } from '@tcptrail/schemas/tiers.ts';
import { mutate } from './remove-rows.ts';

/** As many days ago a day has all of its events wherever the server's midnight is. */
const WHOLE_DAYS = 5;
const DAY_MS = 86_400_000;

/** Takes the sums of those of `days` that the consumer sums as long as it is `nowMs`. Throws CLICKHOUSE_*, CLI_FORGET_STUCK. */
export async function openDays(
  clickhouse: ClickHouse,
  { days, nowMs }: { readonly days: readonly string[]; readonly nowMs: number },
): Promise<void> {
  const from = new Date(nowMs - WHOLE_DAYS * DAY_MS).toISOString().slice(0, 10);
  const opened = days.filter((day) => day >= from);
  if (opened.length === 0) return;
  const ofThem = `day IN (${opened.map((day) => `'${day}'`).join(', ')})`;
  for (const table of ['tier_days', ...TIERS.map(({ name }) => `tier_${name}`)])
    await mutate(clickhouse, table, `DELETE WHERE ${ofThem}`);
}
