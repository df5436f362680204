/**
 * Takes back what is stored of messages that are about to be parked: an INSERT of another day, or of their events,
 * may have been taken before the one that was refused.
 */
import { localTable } from '../form.ts';
import type { ClickHouse } from './clickhouse.ts';
import { type Place, TABLES } from './ledger.ts';

export async function withdraw(
  clickhouse: ClickHouse,
  { origin, originPartition }: Place,
  offsets: readonly number[],
): Promise<void> {
  const where = `origin = {origin:String} AND origin_partition = {originPartition:UInt32} AND origin_offset IN {offsets:Array(UInt64)}`;
  for (const table of TABLES) {
    const name = localTable(clickhouse, table);
    const [held] = await clickhouse.query<{ n: number; days: string[] }>(
      `SELECT count() AS n, groupUniqArray(day) AS days FROM ${name} WHERE ${where}`,
      { origin, originPartition, offsets },
    );
    if (!held || held.n === 0) continue;
    const quoted = origin.replaceAll(/[\\']/g, '\\$&');
    await clickhouse.statement(
      `DELETE FROM ${name} WHERE origin = '${quoted}' AND origin_partition = ${originPartition} AND origin_offset IN (${offsets.join(', ')})`,
    );
    // As many others may come, and the sums of the day would pass for theirs: it is summed again.
    const days = held.days.map((day) => `'${day}'`).join(', ');
    await clickhouse.statement(`DELETE FROM ${localTable(clickhouse, 'tier_days')} WHERE day IN (${days})`);
  }
}
