/** What ClickHouse knows of its parts: bytes of tables, columns of wide parts, indices and projections. */
import type { Connection } from '../clickhouse/connection.ts';

export interface TableSize {
  readonly table: string;
  readonly rows: number;
  readonly parts: number;
  /** Rows in parts whose columns lie in one file: ClickHouse gives their columns the size 0. */
  readonly compactRows: number;
  /** Of everything: columns with their marks, indices, projections, keys, checksums. */
  readonly bytes: number;
  /** Of the columns before compression. What is stored as sparse counts without its defaults. */
  readonly rawBytes: number;
  readonly indexBytes: number;
  readonly projectionBytes: number;
  readonly sortingKey: string;
  /** Days from the table's TTL; undefined: rows stay. */
  readonly keptDays: number | undefined;
}

/** Bytes with marks. */
export interface ColumnBytes {
  readonly table: string;
  readonly column: string;
  readonly bytes: number;
  readonly rawBytes: number;
}

/** An index or projection. */
export interface Extra {
  readonly kind: 'index' | 'projection';
  readonly table: string;
  readonly name: string;
  readonly bytes: number;
}

export const SAMPLE_PREFIX = 'storage_sample_';
const DAYS_A_MONTH = 365.25 / 12;
const DAYS: Readonly<Record<string, number>> = {
  Day: 1,
  Week: 7,
  Month: DAYS_A_MONTH,
  Quarter: 3 * DAYS_A_MONTH,
  Year: 12 * DAYS_A_MONTH,
};

/** Tables that hold rows; the largest first. */
export async function tableSizes(connection: Connection): Promise<readonly TableSize[]> {
  const { database } = connection;
  const rows = await connection.rows<TableSize & { readonly engineFull: string }>(
    `SELECT p.*, toFloat64(pr.held) AS projectionBytes, t.sorting_key AS sortingKey, t.engine_full AS engineFull
     FROM
     (
         SELECT table, toFloat64(sum(part.rows)) AS rows, toFloat64(count()) AS parts,
                toFloat64(sumIf(part.rows, part_type = 'Compact')) AS compactRows,
                toFloat64(sum(bytes_on_disk)) AS bytes, toFloat64(sum(data_uncompressed_bytes)) AS rawBytes,
                toFloat64(sum(secondary_indices_compressed_bytes + secondary_indices_marks_bytes)) AS indexBytes
         FROM system.parts AS part
         WHERE database = {database:String} AND active AND NOT startsWith(table, '${SAMPLE_PREFIX}')
         GROUP BY table
     ) AS p
     INNER JOIN
     (
         SELECT name, sorting_key, engine_full FROM system.tables WHERE database = {database:String}
     ) AS t ON t.name = p.table
     LEFT JOIN
     (
         SELECT table AS owner, sum(bytes_on_disk) AS held FROM system.projection_parts
         WHERE database = {database:String} AND active GROUP BY table
     ) AS pr ON pr.owner = p.table
     WHERE p.rows > 0
     ORDER BY p.bytes DESC`,
    { database },
  );
  return rows.map(({ engineFull, ...row }) => ({ ...row, keptDays: keptDaysOf(engineFull) }));
}

/** Tables without rows, as the tiers are before the first day is over. */
export async function emptyTables(connection: Connection): Promise<readonly string[]> {
  const found = await connection.rows<{ name: string }>(
    `SELECT name FROM system.tables
     WHERE database = {database:String} AND engine LIKE '%MergeTree' AND total_rows = 0 AND position(engine_full, ' TTL ') > 0`,
    { database: connection.database },
  );
  return found.map(({ name }) => name);
}

/** Of the last TTL that deletes rows. */
export function keptDaysOf(engineFull: string): number | undefined {
  const ttl = / TTL (.*?)(?: SETTINGS |$)/.exec(engineFull)?.[1] ?? '';
  const deleting = ttl.split(',').filter((rule) => !/ TO (DISK|VOLUME) | RECOMPRESS /.test(`${rule} `));
  const all = deleting.flatMap((rule) => {
    const [, unit = '', count = ''] = /toInterval(\w+)\((\d+)\)/.exec(rule) ?? [];
    const days = DAYS[unit];
    return days === undefined ? [] : [days * Number(count)];
  });
  return all.length === 0 ? undefined : Math.max(...all);
}

/** Of the rows in wide parts. */
export async function wideColumns(connection: Connection, tables: string): Promise<readonly ColumnBytes[]> {
  return await connection.rows<ColumnBytes>(
    `SELECT table, column, toFloat64(sum(column_bytes_on_disk)) AS bytes,
            toFloat64(sum(column_data_uncompressed_bytes)) AS rawBytes
     FROM system.parts_columns
     WHERE database = {database:String} AND active AND part_type = 'Wide' AND match(table, {tables:String})
     GROUP BY table, column`,
    { database: connection.database, tables },
  );
}

export async function extrasOf(connection: Connection): Promise<readonly Extra[]> {
  return await connection.rows<Extra>(
    `SELECT 'index' AS kind, table, name, toFloat64(data_compressed_bytes + marks_bytes) AS bytes
     FROM system.data_skipping_indices
     WHERE database = {database:String} AND NOT startsWith(table, '${SAMPLE_PREFIX}') AND bytes > 0
     UNION ALL
     SELECT 'projection', table, name, toFloat64(sum(bytes_on_disk)) AS bytes
     FROM system.projection_parts
     WHERE database = {database:String} AND active AND NOT startsWith(table, '${SAMPLE_PREFIX}')
     GROUP BY table, name`,
    { database: connection.database },
  );
}
