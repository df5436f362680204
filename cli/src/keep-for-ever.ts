/** What is past would age away at once. */
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';

/** Takes the TTL off every table of the database. Throws CLICKHOUSE_*. */
export async function keepForEver({ database, query, statement }: ClickHouse): Promise<void> {
  const ageing = await query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = {database:String} AND engine_full LIKE '% TTL %'`,
    { database },
  );
  for (const { name } of ageing) await statement(`ALTER TABLE ${database}.${name} REMOVE TTL`);
}
