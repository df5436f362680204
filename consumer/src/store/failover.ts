/**
 * Several addresses of one ClickHouse: where one does not answer, or takes no rows, the next is used from the next
 * question on.
 *
 * Another ClickHouse would have another ledger, and rows would be stored in both. So an address counts only when its
 * table is the one that was used before: the same table, or another replica of it.
 */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { failure } from '../errors.ts';
import { localName, localTable } from '../form.ts';
import { type ClickHouse, type ClickHouseConfig, createClickHouse } from './clickhouse.ts';

/** The ClickHouse of the configuration, at whichever of its addresses it answers. */
export function connectClickHouse(
  config: ClickHouseConfig & { readonly fallbackUrls: readonly string[] },
): ClickHouse {
  const urls = [config.url, ...config.fallbackUrls];
  return createFailover(urls.map((url) => createClickHouse({ ...config, url })));
}

/** `addresses` is not empty. Closing the result closes all. */
export function createFailover(addresses: readonly ClickHouse[]): ClickHouse {
  const [first] = addresses;
  if (!first) throw new Error('no address');
  let index = 0;
  /** Of the table used so far; empty before it is made. */
  let identity = '';
  const checked = new Set<ClickHouse>();

  const current = (): ClickHouse => addresses[index] ?? first;

  async function use<T>(act: (clickhouse: ClickHouse) => Promise<T>): Promise<T> {
    for (let left = addresses.length; ; left--) {
      const clickhouse = current();
      let isSent = false;
      try {
        if (!checked.has(clickhouse)) await check(clickhouse);
        isSent = true;
        return await act(clickhouse);
      } catch (error) {
        const code = error instanceof AppError ? error.code : '';
        // Several questions fail together; one step is enough.
        if (AWAY.has(code) && clickhouse === current()) index = (index + 1) % addresses.length;
        // What may have been done is the caller's to ask; what was not even sent is not.
        if (isSent || left === 1 || code !== 'CLICKHOUSE_UNREACHABLE') throw error;
      }
    }
  }

  async function check(clickhouse: ClickHouse): Promise<void> {
    const found = await identityOf(clickhouse);
    if (identity !== '' && found !== identity) {
      throw failure(
        'CLICKHOUSE_ANOTHER',
        `ClickHouse at ${clickhouse.url} does not have the table that is used, ${localTable(clickhouse, 'tcp_events')}, nor a replica of it; take it out of clickhouse.fallbackUrls`,
      );
    }
    if (found === '') return;
    identity = found;
    checked.add(clickhouse);
  }

  return {
    get url() {
      return current().url;
    },
    database: first.database,
    cluster: first.cluster,
    query: (sql, params) => use((clickhouse) => clickhouse.query(sql, params)),
    statement: (sql) => use((clickhouse) => clickhouse.statement(sql)),
    insert: (block) => use((clickhouse) => clickhouse.insert(block)),
    async close() {
      for (const clickhouse of addresses) await clickhouse.close();
    },
  };
}

const AWAY: ReadonlySet<string> = new Set([
  'CLICKHOUSE_UNREACHABLE',
  'CLICKHOUSE_UNWRITABLE',
  'CLICKHOUSE_ANOTHER',
]);

/** Replicas share a path in Keeper; any other table has a UUID of its own. */
async function identityOf(clickhouse: ClickHouse): Promise<string> {
  const [found] = await clickhouse.query<{ identity: string }>(
    `SELECT any(if(path != '', path, toString(uuid))) AS identity
     FROM (SELECT uuid FROM system.tables WHERE database = {database:String} AND name = {table:String}) AS t
     LEFT JOIN (SELECT any(zookeeper_path) AS path FROM system.replicas
                WHERE database = {database:String} AND table = {table:String}) AS r ON true`,
    { database: clickhouse.database, table: localName(clickhouse, 'tcp_events') },
  );
  return found?.identity ?? '';
}
