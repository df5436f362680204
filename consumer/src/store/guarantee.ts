/** What the server makes of "exactly once", read from it at the start. */
import { failure } from '../errors.ts';
import type { ClickHouse } from './clickhouse.ts';
import { TABLES } from './ledger.ts';

export interface Guarantee {
  readonly isExactlyOnce: boolean;
  readonly text: string;
}

const VERSION_MIN = 24;

/** Throws CLICKHOUSE_NO_GUARANTEE when the tables cannot keep what is inserted. */
export async function readGuarantee(clickhouse: ClickHouse): Promise<Guarantee> {
  const [server] = await clickhouse.query<{ version: string; seesProcesses: number }>(
    `SELECT version() AS version, count() > 0 AS seesProcesses FROM system.processes`,
  );
  const version = server?.version ?? '';
  if (Number.parseInt(version, 10) < VERSION_MIN) {
    throw failure(
      'CLICKHOUSE_NO_GUARANTEE',
      `ClickHouse ${version} is older than ${VERSION_MIN}; update it: inserts could not be checked`,
    );
  }
  const tables = await clickhouse.query<{ name: string; engine: string }>(
    `SELECT name, engine FROM system.tables WHERE database = {database:String} AND name IN {tables:Array(String)}`,
    { database: clickhouse.database, tables: [...TABLES] },
  );
  for (const name of TABLES) {
    const engine = tables.find((table) => table.name === name)?.engine;
    if (engine === undefined) {
      throw failure(
        'CLICKHOUSE_NO_GUARANTEE',
        `table ${clickhouse.database}.${name} is missing; set migrate: true or run the migrations`,
      );
    }
    if (!engine.endsWith('MergeTree')) {
      throw failure(
        'CLICKHOUSE_NO_GUARANTEE',
        `table ${clickhouse.database}.${name} has engine ${engine}, which does not keep rows as inserted; use a MergeTree`,
      );
    }
  }
  const [disk] = await clickhouse.query<{ fsync: number }>(
    `SELECT toUInt8(countIf(value = '1') > 0) AS fsync FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'`,
  );
  const power =
    disk?.fsync === 1 ? 'and on power loss' : 'on power loss as durable as fsync_after_insert = 0';
  const isReplicated = tables.some(({ engine }) => engine.startsWith('Replicated'));
  const text = `ClickHouse ${version}: rows are stored exactly once, also after kill -9 of any part; ${power}`;
  if (!isReplicated) return { isExactlyOnce: true, text };
  return {
    isExactlyOnce: false,
    text: `ClickHouse ${version} with replicated tables: the ledger is asked on one replica only, so after a fail-over rows may double`,
  };
}
