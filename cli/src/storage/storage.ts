/** `tcptrail storage`: what rows cost on disk, by table, column, index and projection, and for a fleet. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { type Connection, type ConnectionOptions, createConnection } from '../clickhouse/connection.ts';
import { cliError } from '../errors.ts';
import { type Forecast, forecastOf } from './forecast.ts';
import { printLines, printTables } from './print.ts';
import { ratesOf } from './rates.ts';
import { sampleOf } from './sample.ts';
import {
  type ColumnBytes,
  type Extra,
  emptyTables,
  extrasOf,
  type TableSize,
  tableSizes,
  wideColumns,
} from './sizes.ts';

export interface StorageOptions extends ConnectionOptions {
  readonly hosts?: number;
  readonly days: number;
  readonly table?: string;
  readonly sampleRows: number;
  readonly json?: boolean;
}

export interface Column {
  readonly table: string;
  readonly column: string;
  readonly bytesPerRow: number;
  readonly rawBytesPerRow: number;
}

export interface Measured extends TableSize {
  /** As the table is on disk now. */
  readonly bytesPerRow: number;
  /** With its compact parts merged; undefined where their columns could not be measured. */
  readonly mergedBytesPerRow: number | undefined;
  /** Rows that were measured in a table of their own; 0: no part is compact. */
  readonly sampleRows: number;
  /** The largest first; empty when no size is known. */
  readonly columns: readonly Column[];
}

export interface Storage {
  readonly tables: readonly Measured[];
  readonly extras: readonly Extra[];
  readonly forecasts: readonly Forecast[];
  /** Tables that will hold rows. */
  readonly empty: readonly string[];
  readonly hosts: number;
  readonly days: number;
  /** Why columns are missing. */
  readonly note: string | undefined;
}

/** Throws CLI_CLICKHOUSE_*, CLI_NO_TABLES. */
export async function storageCommand(options: StorageOptions): Promise<void> {
  const connection = createConnection(options);
  try {
    const storage = await storageOf(connection, options);
    if (options.json) printLines(storage);
    else printTables(storage, options.table);
    if (storage.note !== undefined) process.stderr.write(`${storage.note}\n`);
  } finally {
    await connection.close();
  }
}

async function storageOf(connection: Connection, options: StorageOptions): Promise<Storage> {
  const sizes = await tableSizes(connection);
  if (!sizes.some(({ table }) => table === 'migrations'))
    throw cliError('CLI_NO_TABLES', [connection.url, connection.database]);
  const asked = sizes.filter(({ table }) => table !== 'migrations');
  if (options.table !== undefined && !asked.some(({ table }) => table === options.table)) {
    throw cliError('CLI_USAGE', [
      `there is no table ${options.table} with rows; give one of: ${asked.map(({ table }) => table).join(', ')}`,
      'tcptrail storage',
    ]);
  }
  const wide = await wideColumns(connection, `^(?:${asked.map(({ table }) => table).join('|')})$`);
  const tables: Measured[] = [];
  let note: string | undefined;
  for (const size of asked) {
    const columns = wide.filter(({ table }) => table === size.table);
    const measured = size.compactRows === 0 || note !== undefined ? undefined : await sampled(size);
    if (typeof measured === 'string') note = measured;
    tables.push(measuredOf(size, columns, typeof measured === 'object' ? measured : undefined));
  }
  const rates = await ratesOf(connection, asked, options);
  const hosts = options.hosts ?? rates.hosts;
  const forecasts = tables.flatMap(({ table, keptDays, bytesPerRow, mergedBytesPerRow = bytesPerRow }) => {
    const rowsPerHostDay = rates.rowsPerHostDay.get(table);
    if (rowsPerHostDay === undefined) return [];
    return [forecastOf({ table, rowsPerHostDay, bytesPerRow: mergedBytesPerRow, keptDays }, hosts)];
  });
  return {
    tables,
    extras: await extrasOf(connection),
    forecasts,
    empty: await emptyTables(connection),
    hosts,
    days: options.days,
    note,
  };

  /** The reason where it is not possible. */
  async function sampled(size: TableSize): Promise<Awaited<ReturnType<typeof sampleOf>> | string> {
    try {
      return await sampleOf(connection, size, { rowsMax: options.sampleRows });
    } catch (error) {
      if (!(error instanceof AppError) || !isRefusal(error)) throw error;
      return `columns of compact parts are not measured, as user ${connection.user} may not create a table; give --user of one that may create, fill and drop tables in database ${connection.database}`;
    }
  }
}

/** READONLY, ACCESS_DENIED. */
function isRefusal(error: AppError): boolean {
  return error.code === 'CLI_READ_ONLY' || /ClickHouse code 497\b/.test(error.message);
}

/** Columns of wide parts as they are, those of compact parts by the sample. Pure. */
export function measuredOf(
  size: TableSize,
  wide: readonly ColumnBytes[],
  sample: { readonly rows: number; readonly columns: readonly ColumnBytes[] } | undefined,
): Measured {
  const { rows, compactRows } = size;
  const wideRows = rows - compactRows;
  const sources = [
    { columns: wide, from: wideRows, weight: wideRows },
    ...(sample && sample.rows > 0
      ? [{ columns: sample.columns, from: sample.rows, weight: compactRows }]
      : []),
  ].filter(({ from }) => from > 0);
  const weights = sources.reduce((sum, { weight }) => sum + weight, 0);
  const columns = new Map<string, { bytes: number; rawBytes: number }>();
  for (const source of sources) {
    const share = source.weight / weights / source.from;
    for (const { column, bytes, rawBytes } of source.columns) {
      const sum = columns.get(column) ?? { bytes: 0, rawBytes: 0 };
      columns.set(column, { bytes: sum.bytes + bytes * share, rawBytes: sum.rawBytes + rawBytes * share });
    }
  }
  const perRow = [...columns].map(([column, { bytes, rawBytes }]): Column => {
    return { table: size.table, column, bytesPerRow: bytes, rawBytesPerRow: rawBytes };
  });
  const columnBytes = perRow.reduce((sum, { bytesPerRow }) => sum + bytesPerRow, 0);
  const isKnown = compactRows === 0 || (sample !== undefined && sample.rows > 0);
  const extraBytes = (size.indexBytes + size.projectionBytes) / rows;
  return {
    ...size,
    bytesPerRow: size.bytes / rows,
    mergedBytesPerRow:
      isKnown && compactRows > 0 ? columnBytes + extraBytes : isKnown ? size.bytes / rows : undefined,
    sampleRows: compactRows > 0 ? (sample?.rows ?? 0) : 0,
    columns: perRow.toSorted((a, b) => b.bytesPerRow - a.bytesPerRow),
  };
}
