/**
 * The sizes of columns as a merged part will have them, measured: a sample of the rows in one wide part of their own.
 *
 * The sample is whole pieces of the table, as rows compress by what stands beside them: of tcp_events all rows of some
 * five minutes of some hosts, drawn by a hash over all hosts and hours. They are sorted as the table is.
 */
import { randomUUID } from 'node:crypto';
import type { Connection } from '../clickhouse/connection.ts';
import { type ColumnBytes, SAMPLE_PREFIX, type TableSize, wideColumns } from './sizes.ts';

export interface Sample {
  readonly rows: number;
  readonly columns: readonly ColumnBytes[];
}

/** Whatever is left of a run that was killed is old by then. */
const LEFT_HOURS = 1;

/** Throws CLI_READ_ONLY, CLI_QUERY_FAILED where the user may not create a table. */
export async function sampleOf(
  connection: Connection,
  size: TableSize,
  { rowsMax }: { readonly rowsMax: number },
): Promise<Sample> {
  const from = `${connection.database}.${size.table}`;
  const name = `${SAMPLE_PREFIX}${randomUUID().replaceAll('-', '')}`;
  const sample = `${connection.database}.${name}`;
  await dropLeft(connection);
  await run(
    connection,
    `CREATE TABLE ${sample} AS ${from} ENGINE = MergeTree PARTITION BY tuple() ORDER BY (${size.sortingKey})
     SETTINGS min_bytes_for_wide_part = 0, min_rows_for_wide_part = 0, allow_nullable_key = 1`,
  );
  try {
    await dropExtras(connection, name);
    const all = await columnsOf(connection, size);
    const stored = all.filter(({ isStored }) => isStored).map((column) => `\`${column.name}\``);
    const piece = pieceOf(size, all);
    let rows = 0;
    // A hash may draw none of a few pieces.
    for (let every = Math.max(1, Math.ceil(size.rows / rowsMax)); rows === 0; every = every >> 1) {
      const drawn = every > 1 ? `WHERE sipHash64(${piece}) % ${every} = 0` : '';
      await run(connection, `INSERT INTO ${sample} (${stored}) SELECT ${stored} FROM ${from} ${drawn}`);
      const [held] = await connection.rows<{ rows: number }>(
        `SELECT toFloat64(count()) AS rows FROM ${sample}`,
      );
      rows = held?.rows ?? 0;
      if (every <= 1) break;
    }
    await run(connection, `OPTIMIZE TABLE ${sample} FINAL`);
    const columns = await wideColumns(connection, `^${name}$`);
    return { rows, columns: columns.map((column) => ({ ...column, table: size.table })) };
  } finally {
    await run(connection, `DROP TABLE ${sample} SYNC`);
  }
}

interface ColumnName {
  readonly name: string;
  /** Not computed from others. */
  readonly isStored: boolean;
}

async function columnsOf(connection: Connection, { table }: TableSize): Promise<readonly ColumnName[]> {
  return await connection.rows<ColumnName>(
    `SELECT name, toBool(default_kind IN ('', 'DEFAULT')) AS isStored
     FROM system.columns WHERE database = {database:String} AND table = {table:String}`,
    { database: connection.database, table },
  );
}

/** What rows that stand together have in common. */
function pieceOf({ sortingKey }: TableSize, columns: readonly ColumnName[]): string {
  const has = (name: string): boolean => columns.some((column) => column.name === name);
  if (has('host_id') && has('ts')) return 'host_id, toStartOfFiveMinutes(ts)';
  if (has('host_id') && has('batch_ts')) return 'host_id, toStartOfHour(batch_ts)';
  if (sortingKey === '') return 'rand()';
  return `tuple(${sortingKey}).1${has('day') ? ', day' : ''}`;
}

/** Only columns are measured; a projection of the sample would cost time alone. */
async function dropExtras(connection: Connection, table: string): Promise<void> {
  const extras = await connection.rows<{ kind: string; name: string }>(
    `SELECT 'PROJECTION' AS kind, name FROM system.projections WHERE database = {database:String} AND table = {table:String}
     UNION ALL
     SELECT 'INDEX', name FROM system.data_skipping_indices WHERE database = {database:String} AND table = {table:String}`,
    { database: connection.database, table },
  );
  for (const { kind, name } of extras)
    await run(connection, `ALTER TABLE ${connection.database}.${table} DROP ${kind} ${name}`);
}

async function dropLeft(connection: Connection): Promise<void> {
  const left = await connection.rows<{ name: string }>(
    `SELECT name FROM system.tables
     WHERE database = {database:String} AND startsWith(name, '${SAMPLE_PREFIX}')
       AND metadata_modification_time < now() - INTERVAL ${LEFT_HOURS} HOUR`,
    { database: connection.database },
  );
  for (const { name } of left) await run(connection, `DROP TABLE ${connection.database}.${name} SYNC`);
}

async function run(connection: Connection, query: string): Promise<void> {
  const { stream } = await connection.ask({ query, format: 'Null' });
  for await (const _ of stream);
}
