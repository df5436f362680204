/** What is on the disk, out of ClickHouse's own account of its parts. */
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';

export interface Sizes {
  readonly rows: number;
  /** Of all columns, compressed. */
  readonly columns: number;
  readonly indices: number;
  readonly projections: number;
  readonly on_disk: number;
  readonly parts: number;
}

export async function sizesOf({ query, database }: ClickHouse, table: string): Promise<Sizes> {
  const at = { database, table };
  const [parts] = await query<Omit<Sizes, 'projections'>>(
    `SELECT sum(rows) AS rows, sum(data_compressed_bytes) AS columns, sum(secondary_indices_compressed_bytes) AS indices,
       sum(bytes_on_disk) AS on_disk, count() AS parts
     FROM system.parts WHERE active AND database = {database:String} AND table = {table:String}`,
    at,
  );
  const [projections] = await query<{ bytes: number }>(
    `SELECT sum(bytes_on_disk) AS bytes FROM system.projection_parts WHERE active AND database = {database:String} AND table = {table:String}`,
    at,
  );
  if (!parts) throw new Error(`no parts of ${table}`);
  return { ...parts, projections: projections?.bytes ?? 0 };
}
