/** What a question reads of the tables; the embedded server's own summary counts the rows of the answer. */
import type { ClickHouseClient } from '@clickhouse/client';

export interface Read {
  readonly rows: number;
  readonly bytes: number;
}

/** Rows and bytes that `ask` makes a server read which nobody else asks. */
export async function rowsRead(client: ClickHouseClient, ask: () => Promise<unknown>): Promise<Read> {
  const before = await counters(client);
  const between = await counters(client);
  await ask();
  const after = await counters(client);
  // What it takes to look.
  const own = { rows: between.rows - before.rows, bytes: between.bytes - before.bytes };
  return { rows: after.rows - between.rows - own.rows, bytes: after.bytes - between.bytes - own.bytes };
}

async function counters(client: ClickHouseClient): Promise<Read> {
  const result = await client.query({
    query:
      "SELECT toFloat64(sumIf(value, event = 'SelectedRows')) AS rows, toFloat64(sumIf(value, event = 'SelectedBytes')) AS bytes FROM system.events",
    format: 'JSONEachRow',
  });
  const [row] = await result.json<Read>();
  return row ?? { rows: Number.NaN, bytes: Number.NaN };
}
