/** Columns of an exported table: what is stored of a row, under the names and with the values that people read. */

export interface ExportedColumn {
  readonly name: string;
  /** Of the value. */
  readonly type: string;
  /** What gives the value. */
  readonly expression: string;
}

interface Asking {
  readonly database: string;
  rows<Row>(sql: string, params: Record<string, unknown>): Promise<readonly Row[]>;
}

export interface Sum {
  readonly rows: number;
  /** Sum of cityHash64 over the values of each row, modulo 2^64. */
  readonly checksum: string;
}

/** Of `SELECT values FROM …`: the same for a table, and for one that its file was read into. Throws CLI_QUERY_FAILED. */
export async function sumOf(
  { rows }: Pick<Asking, 'rows'>,
  select: string,
  params: Record<string, unknown> = {},
): Promise<Sum> {
  const [sum] = await rows<{ rows: string; checksum: string }>(
    `SELECT toString(count()) AS rows, toString(sum(cityHash64(*))) AS checksum FROM (${select})`,
    params,
  );
  return { rows: Number(sum?.rows ?? 0), checksum: sum?.checksum ?? '0' };
}

const REST = '_rest';

/**
 * None where there is no such table. A column that is stored as its difference to another one is given as itself; a
 * state of an aggregate as its value, for which Parquet has a type.
 */
export async function exportedColumns(
  { database, rows }: Asking,
  table: string,
): Promise<readonly ExportedColumn[]> {
  const columns = await rows<{ name: string; type: string; default_kind: string }>(
    `SELECT name, type, default_kind FROM system.columns
     WHERE database = {database:String} AND table = {table:String} ORDER BY position`,
    { database, table },
  );
  const rests = new Set(columns.flatMap(({ name }) => (name.endsWith(REST) ? [name] : [])));
  return columns.flatMap(({ name, type, default_kind: kind }): readonly ExportedColumn[] => {
    const isShown = kind === 'ALIAS' ? rests.has(`${name}${REST}`) : !rests.has(name);
    if (!isShown) return [];
    if (!type.startsWith('AggregateFunction(')) return [{ name, type, expression: `\`${name}\`` }];
    return [{ name, type: 'UInt64', expression: `finalizeAggregation(\`${name}\`) AS \`${name}\`` }];
  });
}
