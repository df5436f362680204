/** What the server makes of "exactly once", read from it at the start. */
import { failure } from '../errors.ts';
import { type Form, localName, onCluster } from '../form.ts';
import type { ClickHouse } from './clickhouse.ts';
import { TABLES } from './ledger.ts';

export interface Guarantee {
  readonly isExactlyOnce: boolean;
  readonly text: string;
}

export interface ServerFacts {
  readonly version: string;
  readonly tables: readonly {
    readonly name: string;
    readonly engine: string;
    readonly engine_full: string;
  }[];
  /** Of the cluster; 0 of one node. */
  readonly shards: number;
  /** Of the server and its user, 1 or "enable" and the like; absent where the version does not know them. */
  readonly settings: Readonly<Record<string, string>>;
  readonly fsyncAfterInsert: boolean;
}

const VERSION_MIN = 24;
/**
 * Inserts into a table for which a late one is still known, whoever sends it. As the migrations set it: a few inserts a
 * second must not use it up while a request hangs.
 */
const WINDOW_MIN = 10_000;
const ENGINE = /^(Replicated|Shared)?MergeTree$/;

/** Throws CLICKHOUSE_NO_GUARANTEE when the tables cannot keep what is inserted. */
export async function readGuarantee(clickhouse: ClickHouse): Promise<Guarantee> {
  // The list of processes is asked when something is uncertain: that it may be read is seen now.
  const [server] = await clickhouse.query<{ version: string }>(
    `SELECT version() AS version, count() > 0 AS seesProcesses FROM system.processes`,
  );
  const names = TABLES.map((table) => localName(clickhouse, table));
  const tables = await clickhouse.query<ServerFacts['tables'][number]>(
    `SELECT name, engine, engine_full FROM system.tables
     WHERE database = {database:String} AND name IN {names:Array(String)}`,
    { database: clickhouse.database, names },
  );
  const [cluster] = await clickhouse.query<{ shards: number }>(
    'SELECT uniqExact(shard_num) AS shards FROM system.clusters WHERE cluster = {cluster:String}',
    { cluster: clickhouse.cluster },
  );
  const settings = await clickhouse.query<{ name: string; value: string }>(
    `SELECT name, value FROM system.settings WHERE name = 'deduplicate_insert'`,
  );
  const [disk] = await clickhouse.query<{ fsync: number }>(
    `SELECT toUInt8(countIf(value = '1') > 0) AS fsync FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'`,
  );
  return guaranteeOf(clickhouse, {
    version: server?.version ?? '',
    tables,
    shards: cluster?.shards ?? 0,
    settings: Object.fromEntries(settings.map(({ name, value }) => [name, value])),
    fsyncAfterInsert: disk?.fsync === 1,
  });
}

/** Pure. Throws as `readGuarantee`. */
export function guaranteeOf(form: Form, facts: ServerFacts): Guarantee {
  const { version } = facts;
  if (Number.parseInt(version, 10) < VERSION_MIN)
    throw none(`ClickHouse ${version} is older than ${VERSION_MIN}; update it: inserts could not be checked`);
  const weak: string[] = [];
  for (const name of TABLES.map((table) => localName(form, table))) {
    const table = facts.tables.find((each) => each.name === name);
    const fullName = `${form.database}.${name}`;
    if (!table) throw none(`table ${fullName} is missing; run 'tcptrail migrate'`);
    if (!ENGINE.test(table.engine)) {
      throw none(
        `table ${fullName} has engine ${table.engine}, which does not keep rows as inserted; use a MergeTree`,
      );
    }
    const isReplicated = table.engine !== 'MergeTree';
    if (isReplicated) {
      weak.push(
        `${name} is replicated: the ledger is asked on one replica, so after a fail-over rows may double where an offset was reset`,
      );
    }
    const setting = `${isReplicated ? '' : 'non_'}replicated_deduplication_window`;
    const window = Number(new RegExp(`\\b${setting} = (\\d+)`).exec(table.engine_full)?.[1] ?? 0);
    if (window < WINDOW_MIN) {
      weak.push(
        `${name} remembers ${window} inserts: one that comes late may double rows; ALTER TABLE ${fullName} ${onCluster(form)} MODIFY SETTING ${setting} = ${WINDOW_MIN}`,
      );
    }
  }
  if (facts.shards > 1) {
    weak.push(
      `the cluster has ${facts.shards} shards, and a consumer stores in that of clickhouse.url alone: all consumers of a topic must name the same shard, else rows double`,
    );
  }
  if (facts.settings['deduplicate_insert'] === 'disable') {
    weak.push(
      `the user's setting deduplicate_insert is 'disable': an insert that comes late may double rows; set it to 'enable'`,
    );
  }
  if (weak.length > 0) return { isExactlyOnce: false, text: `ClickHouse ${version}: ${weak.join('; ')}` };
  const power = facts.fsyncAfterInsert
    ? 'and on power loss'
    : 'on power loss as durable as fsync_after_insert = 0';
  return {
    isExactlyOnce: true,
    text: `ClickHouse ${version}: rows are stored exactly once, also after kill -9 of any part; ${power}`,
  };
}

function none(message: string): Error {
  return failure('CLICKHOUSE_NO_GUARANTEE', message);
}
