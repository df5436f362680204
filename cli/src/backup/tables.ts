/** The tables of a database, and what each holds, as sums that a restored one can be compared by. */
import { type Place, upTo } from '../stored-point.ts';
import type { BackupTable, Sum } from './manifest.ts';

/** Made by the migrations themselves, or only for a while. */
const LEFT_OUT = ['migrations'];

export interface TableAt {
  readonly name: string;
  /** Rows of one key count once. */
  readonly isReplacing: boolean;
  readonly columns: readonly Column[];
}

interface Column {
  readonly name: string;
  readonly type: string;
}

interface Asking {
  readonly database: string;
  query<Row>(sql: string, params?: Record<string, unknown>): Promise<readonly Row[]>;
}

export async function tablesOf({ database, query }: Asking): Promise<readonly TableAt[]> {
  const tables = await query<{ name: string; engine: string }>(
    `SELECT name, engine FROM system.tables
     WHERE database = {database:String} AND engine LIKE '%MergeTree' AND name NOT IN {leftOut:Array(String)}
         AND NOT startsWith(name, 'forget_export_')
     ORDER BY name`,
    { database, leftOut: LEFT_OUT },
  );
  const columns = await query<Column & { table: string }>(
    `SELECT table, name, type FROM system.columns
     WHERE database = {database:String} AND default_kind NOT IN ('ALIAS', 'MATERIALIZED', 'EPHEMERAL')
     ORDER BY table, position`,
    { database },
  );
  return tables.map(({ name, engine }) => ({
    name,
    isReplacing: engine.includes('Replacing'),
    columns: columns.filter(({ table }) => table === name),
  }));
}

export const listOf = (columns: readonly { readonly name: string }[]): string =>
  columns.map(({ name }) => `\`${name}\``).join(', ');

/** `FROM … WHERE` of the rows that a backup up to `point` holds; all of them without one. */
export function rowsOf({ database }: Asking, table: TableAt, point?: readonly Place[]): string {
  const final = table.isReplacing ? 'FINAL' : '';
  return `FROM ${database}.${table.name} ${final} WHERE ${point ? upTo(point, table.name) : 'true'}`;
}

export interface PartitionSum extends Sum {
  readonly partition: string;
  readonly day_max: string;
}

/** By partition. */
export async function sumsOf(
  asking: Asking,
  table: TableAt,
  point?: readonly Place[],
): Promise<readonly PartitionSum[]> {
  // A state of an aggregate has no hash; its value has.
  const hashed = table.columns.map(({ name, type }) =>
    type.startsWith('AggregateFunction(') ? `finalizeAggregation(\`${name}\`)` : `\`${name}\``,
  );
  const day = table.columns.some(({ name }) => name === 'day') ? 'toString(day)' : "''";
  // A table may have a column of any of these names.
  return await asking.query<PartitionSum>(
    `SELECT partition_of_row AS partition, count() AS rows, toString(sum(hash_of_row)) AS checksum, max(day_of_row) AS day_max
     FROM
     (
         SELECT _partition_id AS partition_of_row, cityHash64(${hashed.join(', ')}) AS hash_of_row, ${day} AS day_of_row
         ${rowsOf(asking, table, point)}
     )
     GROUP BY partition ORDER BY partition`,
  );
}

const MODULUS = 1n << 64n;

export function totalOf(table: TableAt, sums: readonly Sum[]): BackupTable {
  const checksum = sums.reduce((sum, each) => (sum + BigInt(each.checksum)) % MODULUS, 0n);
  return {
    table: table.name,
    columns: table.columns.map(({ name }) => name),
    rows: sums.reduce((sum, { rows }) => sum + rows, 0),
    checksum: String(checksum),
  };
}
