/** What is past would age away at once. */
import { onCluster } from '@tcptrail/consumer/form.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';

/** Takes the TTL off every table of the database. Throws CLICKHOUSE_*. */
export async function keepForEver(clickhouse: ClickHouse): Promise<void> {
  const { database, query, statement } = clickhouse;
  const ageing = await query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = {database:String} AND engine_full LIKE '% TTL %'`,
    { database },
  );
  for (const { name } of ageing)
    await statement(`ALTER TABLE ${database}.${name} ${onCluster(clickhouse)} REMOVE TTL`);
}
