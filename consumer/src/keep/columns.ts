/** Columns of a table: what conditions on its rows can name. */

export interface Asking {
  readonly database: string;
  query<T>(sql: string, params?: Record<string, unknown>): Promise<T[]>;
}

/** None where there is no such table. */
export async function columnsOf({ database, query }: Asking, table: string): Promise<ReadonlySet<string>> {
  const rows = await query<{ name: string }>(
    'SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String}',
    { database, table },
  );
  return new Set(rows.map(({ name }) => name));
}
