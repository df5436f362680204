/**
 * Rows under a legal hold, copied into `held_events` before they age away.
 *
 * A copy of a row is the row: held_events is ordered by the row's identity, so a step that was killed is run again.
 */
import { type Form, localTable, onCluster } from '../form.ts';
import { type Asking, bindingHolds, columnsOf, heldBy } from './holds.ts';

type Client = Asking & Form & { statement(sql: string): Promise<void> };

/** Rows that were copied, and rows that no hold binds any longer and were deleted. */
export interface HeldStep {
  readonly copied: number;
  readonly released: number;
}

/** Copies what is held and not copied yet, day by day, and lets go what no hold binds. Throws CLICKHOUSE_*. */
export async function keepHeld(clickhouse: Client): Promise<HeldStep> {
  const { database } = clickhouse;
  const holds = await bindingHolds(clickhouse);
  const columns = await columnsOf(clickhouse, 'tcp_events');
  const held = heldBy(holds, columns);
  const released = await release(clickhouse, held);
  if (holds.length === 0) return { copied: 0, released };
  const missing = await clickhouse.query<{ day: string; n: number }>(
    `SELECT day, toInt64(countIf(here)) - toInt64(countIf(NOT here)) AS n
     FROM
     (
         SELECT day, true AS here FROM ${database}.tcp_events WHERE ${held}
         UNION ALL
         SELECT day, false FROM ${database}.held_events FINAL
         WHERE ${held} AND day >= (SELECT min(day) FROM ${database}.tcp_events)
     )
     GROUP BY day HAVING n > 0 ORDER BY day`,
  );
  for (const { day } of missing)
    await clickhouse.statement(
      `INSERT INTO ${localTable(clickhouse, 'held_events')} SELECT * FROM ${localTable(clickhouse, 'tcp_events')} WHERE day = '${day}' AND ${held}`,
    );
  return { copied: missing.reduce((sum, { n }) => sum + n, 0), released };
}

async function release(clickhouse: Client, held: string): Promise<number> {
  const { database } = clickhouse;
  const [row] = await clickhouse.query<{ n: number }>(
    `SELECT count() AS n FROM ${database}.held_events FINAL WHERE NOT ${held}`,
  );
  const released = row?.n ?? 0;
  if (released > 0)
    await clickhouse.statement(
      `ALTER TABLE ${localTable(clickhouse, 'held_events')} ${onCluster(clickhouse)} DELETE WHERE NOT ${held} SETTINGS mutations_sync = 2`,
    );
  return released;
}
