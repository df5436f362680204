/** Rows in the Parquet files of `tcptrail export`: each day that holds some is written again without them. */
import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Hold, heldBy } from '@tcptrail/consumer/keep/holds.ts';
import { SMALL_BLOCKS } from '@tcptrail/consumer/keep/small-blocks.ts';
import { condition } from '@tcptrail/consumer/keep/subject.ts';
import { readJson, removeLeftOvers, writeDurably, writeJson } from '../durable-file.ts';
import { cliError, reasonOf } from '../errors.ts';
import { exportedColumns, sumOf } from '../export/columns.ts';
import { daysIn, type Manifest, placeOf, wholeManifest } from '../export/manifest.ts';
import { assertParquet } from '../export/parquet.ts';
import type { Store } from '../store.ts';
import type { Matched, Wish } from './matches.ts';

/** Tables that hold one file for a moment. */
const SCRATCH = 'forget_export_';
/** More than any part: a wide one takes megabytes of buffers for each stream of each column while it is written. */
const COMPACT_BYTES = 1_000_000_000_000;

export interface ExportWish extends Wish {
  readonly folders: readonly string[];
  readonly holds: readonly Hold[];
  /** Only count. */
  readonly plan: boolean;
}

/** Rows by file, which stand under `table`. Throws CLICKHOUSE_*, CLI_FILE_*, CLI_NO_EXPORT. */
export async function forgetInExports(store: Store, wish: ExportWish): Promise<readonly Matched[]> {
  // A look holds no lock: what it finds may be another's.
  if (!wish.plan) await dropScratch(store);
  const found: Matched[] = [];
  for (const folder of wish.folders) {
    const tables = tablesIn(folder);
    if (tables.length === 0) throw cliError('CLI_NO_EXPORT', [folder]);
    for (const table of tables) {
      if (!wish.plan) removeLeftOvers(join(folder, table));
      for (const day of daysIn(folder, table))
        if (wish.before === undefined || day < wish.before)
          found.push(...(await forgetInFile(store, wish, { folder, table, day })));
    }
  }
  return found;
}

function tablesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => daysIn(folder, name).length > 0);
  } catch (error) {
    throw cliError('CLI_FILE_UNREADABLE', [folder, reasonOf(error)], { cause: error });
  }
}

interface FileAt {
  readonly folder: string;
  readonly table: string;
  readonly day: string;
}

async function forgetInFile(store: Store, wish: ExportWish, at: FileAt): Promise<readonly Matched[]> {
  const { clickhouse, connection } = store;
  const place = placeOf(at.folder, at.table, at.day);
  const columns = await exportedColumns(connection, at.table);
  if (columns.length === 0) throw cliError('CLI_NO_EXPORT', [at.folder]);
  const names = new Set(columns.map(({ name }) => name));
  const whose = condition(wish.subject, names);
  if (whose === undefined) return [];
  const kept = heldBy(wish.holds, names);
  const scratch = `${clickhouse.database}.${SCRATCH}${randomBytes(8).toString('hex')}`;
  await clickhouse.statement(
    `CREATE TABLE ${scratch} (${columns.map(({ name, type }) => `\`${name}\` ${type}`).join(', ')}) ENGINE = MergeTree ORDER BY tuple() SETTINGS min_bytes_for_wide_part = ${COMPACT_BYTES}`,
  );
  try {
    await clickhouse.insert({
      query: `INSERT INTO ${scratch} FORMAT Parquet`,
      body: createReadStream(place.parquet),
      settings: SMALL_BLOCKS,
    });
    const [counted] = await clickhouse.query<{ rows: number; held: number }>(
      `SELECT countIf(${whose} AND NOT ${kept}) AS rows, countIf(${whose} AND ${kept}) AS held FROM ${scratch}`,
    );
    const { rows = 0, held = 0 } = counted ?? {};
    const said = existsSync(place.manifest) ? readJson<Manifest>(place.manifest) : undefined;
    // Killed after the file and before its manifest.
    const isBehind = said !== undefined && (await wholeManifest(place)) === undefined;
    if (!wish.plan && (rows > 0 || isBehind)) {
      const select = `SELECT * FROM ${scratch} WHERE NOT (${whose} AND NOT ${kept})`;
      const answer = await connection.ask({
        query: `${select} FORMAT Parquet`,
        format: 'Parquet',
      });
      const written = await writeDurably(place.parquet, answer.stream, assertParquet);
      if (said !== undefined) {
        const left = await sumOf(connection, select);
        const gone = said.forgotten_rows + said.rows - left.rows;
        await writeJson(place.manifest, { ...said, ...written, ...left, forgotten_rows: gone });
      }
    }
    return rows + held > 0 ? [{ table: place.parquet, day: at.day, rows, held }] : [];
  } finally {
    await clickhouse.statement(`DROP TABLE IF EXISTS ${scratch} SYNC`);
  }
}

/** What a killed one left; whoever calls holds the lock. */
async function dropScratch({ clickhouse: { database, query, statement } }: Store): Promise<void> {
  const left = await query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = {database:String} AND startsWith(name, {scratch:String})',
    { database, scratch: SCRATCH },
  );
  for (const { name } of left) await statement(`DROP TABLE IF EXISTS ${database}.${name} SYNC`);
}
