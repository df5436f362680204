/** `tcptrail export`: each day of each table as a Parquet file, with a manifest. */
import { join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { type Connection, type ConnectionOptions, createConnection } from '../clickhouse/connection.ts';
import { removeLeftOvers, writeDurably, writeJson } from '../durable-file.ts';
import { cliError } from '../errors.ts';
import { type Place as Point, storedPoint, upTo } from '../stored-point.ts';
import { bytes, count, plural } from '../terminal/human.ts';
import { exportedColumns, type Sum, sumOf } from './columns.ts';
import { type Filters, type Manifest, type Place, placeOf, wholeManifest } from './manifest.ts';
import { assertParquet } from './parquet.ts';

export interface ExportOptions extends ConnectionOptions {
  readonly day: readonly string[];
  readonly to: string;
  readonly table?: readonly string[];
  readonly host?: readonly string[];
  readonly json?: boolean;
}

const TABLES = ['tcp_events', 'tcp_batches'];
/** Rows that others store, or forget, while a file is written. */
const TRIES_MAX = 3;

/** written; kept: it was there, and whole; empty: the table has no rows of the day, and no file was there. */
type State = 'written' | 'kept' | 'empty';

interface Exported {
  readonly state: State;
  readonly manifest?: Manifest;
  /** Rows of the day in the table now. */
  readonly inTable: number;
}

/** Exit code 130 after Ctrl-C. Throws CLI_CLICKHOUSE_*, CLI_QUERY_FAILED, CLI_FILE_*, CLI_EXPORT_*. */
export async function exportCommand(options: ExportOptions): Promise<void> {
  const { json = false, to, host } = options;
  const connection = createConnection(options);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  const filters: Filters = host ? { host } : {};
  try {
    const migration = await migrationOf(connection);
    for (const table of options.table ?? TABLES) {
      const columns = await columnsOf(connection, table);
      removeLeftOvers(join(to, table));
      for (const day of options.day) {
        const asked = { connection, table, columns, day, filters, migration, signal: stop.signal };
        const exported = await exportDay(placeOf(to, table, day), asked);
        process.stdout.write(lineOf({ table, day, to }, exported, json));
      }
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = 130;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    await connection.close();
  }
}

async function migrationOf(connection: Connection): Promise<number> {
  const [row] = await connection.rows<{ n: number }>(
    `SELECT max(number) AS n FROM ${connection.database}.migrations`,
  );
  return row?.n ?? 0;
}

async function columnsOf(connection: Connection, table: string): Promise<string> {
  const columns = await exportedColumns(connection, table);
  if (!columns.some(({ name }) => name === 'day'))
    throw cliError('CLI_EXPORT_NO_DAYS', [table, connection.database]);
  return columns.map(({ expression }) => expression).join(', ');
}

interface Asked {
  readonly connection: Connection;
  readonly table: string;
  readonly columns: string;
  readonly day: string;
  readonly filters: Filters;
  readonly migration: number;
  readonly signal: AbortSignal;
}

async function exportDay(place: Place, asked: Asked): Promise<Exported> {
  const { connection, table, day, filters } = asked;
  const there = await wholeManifest(place);
  if (there && JSON.stringify(there.filters) !== JSON.stringify(filters))
    throw cliError('CLI_EXPORT_OTHER', [place.manifest]);
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const point = await storedPoint(connection);
    const select = `SELECT ${asked.columns} ${fromDay(asked, point)}`;
    const sum = (): Promise<Sum> => sumOf(connection, select, paramsOf(asked));
    const before = await sum();
    if (there && (hasAged(before, there) || isSame(before, there)))
      return { state: 'kept', manifest: there, inTable: before.rows };
    if (before.rows === 0) return { state: 'empty', inTable: 0 };
    const answer = await connection.ask({
      query: `${select} FORMAT Parquet`,
      format: 'Parquet',
      params: paramsOf(asked),
      signal: asked.signal,
    });
    // The client heeds the signal until the answer begins.
    const body = addAbortSignal(asked.signal, answer.stream);
    const written = await writeDurably(place.parquet, body, assertParquet);
    if (!isSame(await sum(), before)) continue;
    const manifest: Manifest = {
      table,
      day,
      ...before,
      ...written,
      database: connection.database,
      migration: asked.migration,
      written_ts: new Date().toISOString(),
      filters,
      forgotten_rows: 0,
    };
    await writeJson(place.manifest, manifest);
    return { state: 'written', manifest, inTable: before.rows };
  }
  throw cliError('CLI_EXPORT_CHANGED', [table, day]);
}

/** A day ages away in the table, and never in the export. */
const hasAged = (now: Sum, there: Manifest): boolean => now.rows < there.rows;

/** Sums of a tier grow in as many rows. */
const isSame = (now: Sum, then: Partial<Sum>): boolean =>
  now.rows === then.rows && now.checksum === then.checksum;

function fromDay({ connection, table }: Asked, point: readonly Point[]): string {
  return `FROM ${connection.database}.${table} WHERE day = {day:Date} AND ${upTo(point, table)} AND ${named(connection, table)}
    AND (empty({hosts:Array(String)}) OR host_id IN {hosts:Array(String)} OR host_name IN {hosts:Array(String)})`;
}

/** Of a tier the version that counts: of a day that was written again the former one stays for a while. */
function named({ database }: Connection, table: string): string {
  const [, tier] = /^tier_(5m|1h|edges)$/.exec(table) ?? [];
  return tier === undefined
    ? 'true'
    : `version = (SELECT max(version) FROM ${database}.tier_days WHERE tier = '${tier}' AND day = {day:Date})`;
}

const paramsOf = ({ day, filters }: Asked): Record<string, unknown> => ({ day, hosts: filters.host ?? [] });

function lineOf(
  { table, day, to }: { readonly table: string; readonly day: string; readonly to: string },
  { state, manifest, inTable }: Exported,
  json: boolean,
): string {
  const file = placeOf(to, table, day).parquet;
  if (json) {
    const { rows = 0, bytes: size = 0, sha256 = '' } = manifest ?? {};
    return `${JSON.stringify({ table, day, file, state, rows, bytes: size, sha256, rows_in_table: inTable })}\n`;
  }
  if (!manifest) return `${table} ${day}: no rows\n`;
  const size = `${plural(manifest.rows, 'row')}, ${bytes(manifest.bytes)}`;
  const fewer = inTable < manifest.rows ? `; the table holds ${count(inTable)} of them by now` : '';
  return `${table} ${day}: ${size} ${state === 'written' ? 'written to' : 'were in'} ${file}${fewer}\n`;
}
