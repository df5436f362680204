/** How many rows of each table a host brings a day. */
import type { Connection } from '../clickhouse/connection.ts';
import type { TableSize } from './sizes.ts';

export interface Rates {
  readonly hosts: number;
  /** By table; absent where nothing says whose a row is, or there are none in these days. */
  readonly rowsPerHostDay: ReadonlyMap<string, number>;
}

const RAW = /^tcp_(events|batches)(_local)?$/;

/**
 * Of the last days, today included. The raw tables have broken days: their hosts' hours are counted, by the heartbeats
 * in tcp_batches. Tables of closed days have whole ones: their hosts' days are.
 */
export async function ratesOf(
  connection: Connection,
  tables: readonly TableSize[],
  { days }: { readonly days: number },
): Promise<Rates> {
  const { database } = connection;
  const since = `day > today() - ${days}`;
  const columns = await connection.rows<{ table: string }>(
    `SELECT table FROM system.columns WHERE database = {database:String} AND name IN ('host_id', 'day')
     GROUP BY table HAVING count() = 2`,
    { database },
  );
  const ofHosts = new Set(columns.map(({ table }) => table));
  const batches = tables.find(({ table }) => /^tcp_batches(_local)?$/.test(table))?.table;
  const [seen] = batches
    ? await connection.rows<{ hosts: number; hours: number }>(
        `SELECT toFloat64(uniqExact(host_id)) AS hosts, toFloat64(uniqExact(host_id, toStartOfHour(batch_ts))) AS hours
         FROM ${database}.${batches} WHERE ${since}`,
      )
    : [];
  const rowsPerHostDay = new Map<string, number>();
  for (const { table } of tables) {
    if (!ofHosts.has(table)) continue;
    const [found] = await connection.rows<{ rows: number; hostDays: number }>(
      `SELECT toFloat64(count()) AS rows, toFloat64(uniqExact(host_id, day)) AS hostDays
       FROM ${database}.${table} WHERE ${since}`,
    );
    const hostDays = RAW.test(table) && seen && seen.hours > 0 ? seen.hours / 24 : (found?.hostDays ?? 0);
    if (found && found.rows > 0) rowsPerHostDay.set(table, found.rows / hostDays);
  }
  return { hosts: seen?.hosts ?? 0, rowsPerHostDay };
}
