/** What a database is, and what it holds, so that two can be compared. */
import type { ClickHouse } from '../../src/store/clickhouse.ts';

/** Its own name stands as `{db}`; what locks leave is left out. */
export async function shapeOf(clickhouse: ClickHouse): Promise<Readonly<Record<string, readonly object[]>>> {
  const { database } = clickhouse;
  const asked = {
    tables: `SELECT name, engine, engine_full, partition_key, sorting_key, primary_key, sampling_key, comment, create_table_query
             FROM system.tables WHERE database = {database:String} ORDER BY name`,
    columns: `SELECT table, name, position, type, default_kind, default_expression, compression_codec, comment,
                     is_in_partition_key, is_in_sorting_key
              FROM system.columns WHERE database = {database:String} ORDER BY table, position`,
    indices: `SELECT table, name, type_full, expr, granularity
              FROM system.data_skipping_indices WHERE database = {database:String} ORDER BY table, name`,
    projections: `SELECT table, name, type, sorting_key, query
                  FROM system.projections WHERE database = {database:String} ORDER BY table, name`,
  };
  const shape: Record<string, readonly object[]> = {};
  for (const [name, sql] of Object.entries(asked)) {
    const rows = await clickhouse.query<object>(sql, { database });
    const text = JSON.stringify(rows).replaceAll(new RegExp(`\\b${database}\\.`, 'g'), '{db}.');
    shape[name] = JSON.parse(text) as object[];
  }
  return shape;
}

interface StoredTable {
  readonly name: string;
  readonly engine: string;
}

const ROWS = 50;

/** Types of which rows can be made out of nothing, in a column alone. */
const MADE = /^(?!Array|Map|AggregateFunction|SimpleAggregateFunction|Nested|Tuple)/;

/** Puts rows of today into every table; columns that cannot be made alone, as arrays of one length, keep their default. */
export async function fillTables(clickhouse: ClickHouse): Promise<void> {
  const { database } = clickhouse;
  for (const { name } of await tablesOf(clickhouse)) {
    const columns = (await columnsOf(clickhouse, name)).filter(({ type }) => MADE.test(type));
    const names = columns.map((column) => `\`${column.name}\``).join(', ');
    const structure = columns.map((column) => `\`${column.name}\` ${column.type}`).join(', ');
    const today = columns.some((column) => column.name === 'day') ? 'REPLACE (today() AS day)' : '';
    await clickhouse.statement(
      `INSERT INTO ${database}.${name} (${names})
       SELECT * ${today} FROM generateRandom('${structure.replaceAll(/[\\']/g, '\\$&')}', 1, 8) LIMIT ${ROWS}`,
    );
  }
}

export interface Content {
  readonly rows: number;
  /** Of all rows in `columns`. */
  readonly hash: string;
  readonly columns: string;
}

/** Of each table; `before`: over the columns that it had then. */
export async function contentOf(
  clickhouse: ClickHouse,
  before: ReadonlyMap<string, Content> = new Map(),
): Promise<ReadonlyMap<string, Content>> {
  const contents = new Map<string, Content>();
  for (const { name, engine } of await tablesOf(clickhouse)) {
    const known = before.get(name)?.columns;
    const columns =
      known ?? (await columnsOf(clickhouse, name)).map((column) => `\`${column.name}\``).join(', ');
    const final = engine === 'MergeTree' ? '' : 'FINAL';
    const [found] = await clickhouse.query<{ row_count: number; row_hash: string }>(
      `SELECT count() AS row_count, toString(sum(sipHash64(${columns}))) AS row_hash FROM ${clickhouse.database}.${name} ${final}`,
    );
    if (found) contents.set(name, { rows: found.row_count, hash: found.row_hash, columns });
  }
  return contents;
}

async function tablesOf(clickhouse: ClickHouse): Promise<readonly StoredTable[]> {
  return await clickhouse.query<StoredTable>(
    `SELECT name, engine FROM system.tables
     WHERE database = {database:String} AND engine LIKE '%MergeTree' AND name != 'migrations' ORDER BY name`,
    { database: clickhouse.database },
  );
}

async function columnsOf(
  clickhouse: ClickHouse,
  table: string,
): Promise<readonly { readonly name: string; readonly type: string }[]> {
  return await clickhouse.query(
    `SELECT name, type FROM system.columns
     WHERE database = {database:String} AND table = {table:String} AND default_kind IN ('', 'DEFAULT') ORDER BY position`,
    { database: clickhouse.database, table },
  );
}
