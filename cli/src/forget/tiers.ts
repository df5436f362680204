/**
 * Sums of days whose events are still there are summed anew from what remains.
 *
 * A day is opened before its events go: from then on the views read the events. Killed in between it stays open, and
 * whoever closes days closes it again.
 */
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { mutate } from './remove-rows.ts';

interface Tier {
  /** As tier_days has it. */
  readonly tier: string;
  readonly table: string;
  readonly view: string;
}

const TIERS: readonly Tier[] = [
  { tier: '5m', table: 'tier_5m', view: 'connections_5m' },
  { tier: '1h', table: 'tier_1h', view: 'connections_1h' },
  { tier: 'edges', table: 'tier_edges', view: 'edges' },
];

export interface ClosedDay {
  readonly tier: string;
  /** As 2026-11-28. */
  readonly day: string;
}

/** Those of `days` that were closed and whose events are all there yet. Throws CLICKHOUSE_*. */
export async function closedAmong(
  { database, query }: ClickHouse,
  days: readonly string[],
): Promise<readonly ClosedDay[]> {
  return await query<ClosedDay>(
    `SELECT tier, day
     FROM (SELECT tier, day, argMax(rows, version) AS summed FROM ${database}.tier_days GROUP BY tier, day) AS written
     INNER JOIN (SELECT day, count() AS here FROM ${database}.tcp_events GROUP BY day) AS held USING (day)
     WHERE here >= summed AND day IN {days:Array(Date)}
     ORDER BY tier, day`,
    { days },
  );
}

/** Their sums go; the views read the events. */
export async function openDays(clickhouse: ClickHouse, closed: readonly ClosedDay[]): Promise<void> {
  for (const { tier, table } of TIERS) {
    const days = closed.filter((each) => each.tier === tier).map(({ day }) => `'${day}'`);
    if (days.length === 0) continue;
    await mutate(clickhouse, 'tier_days', `DELETE WHERE tier = '${tier}' AND day IN (${days.join(', ')})`);
    await mutate(clickhouse, table, `DELETE WHERE day IN (${days.join(', ')})`);
  }
}

/** Sums them again from the events, unless these change meanwhile. */
export async function closeDays(clickhouse: ClickHouse, opened: readonly ClosedDay[]): Promise<void> {
  const { database, query, statement } = clickhouse;
  const rowsOf = async (day: string): Promise<number> => {
    const [row] = await query<{ n: number }>(
      `SELECT count() AS n FROM ${database}.tcp_events WHERE day = {day:Date}`,
      { day },
    );
    return row?.n ?? 0;
  };
  for (const { tier, day } of opened) {
    const at = TIERS.find((each) => each.tier === tier);
    if (!at) throw new Error(`no tier ${tier}`);
    const columns = await query<{ name: string }>(
      `SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String} AND name != 'version'`,
      { database, table: at.table },
    );
    const names = columns.map(({ name }) => name).join(', ');
    const version = Date.now() * 1000;
    const rows = await rowsOf(day);
    await statement(
      `INSERT INTO ${database}.${at.table} (${names}, version) SELECT ${names}, ${version} FROM ${database}.${at.view} WHERE day = '${day}'`,
    );
    if ((await rowsOf(day)) !== rows) continue;
    await statement(
      `INSERT INTO ${database}.tier_days (tier, day, version, rows) VALUES ('${tier}', '${day}', ${version}, ${rows})`,
    );
  }
}
