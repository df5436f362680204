/** `tcptrail backup`: every table as files, with rows and checksums beside them. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createZstdCompress } from 'node:zlib';
import { withKeepingLease } from '@tcptrail/consumer/keeping.ts';
import { removeLeftOvers, writeDurably, writeJson } from '../durable-file.ts';
import { cliError, reasonOf } from '../errors.ts';
import { type Store, type StoreOptions, withStore } from '../store.ts';
import { type Place, storedPoint } from '../stored-point.ts';
import { bytes, plural } from '../terminal/human.ts';
import { type BackupFile, type BackupTable, MANIFEST, newManifest, UNFINISHED } from './manifest.ts';
import { listOf, type PartitionSum, rowsOf, sumsOf, type TableAt, tablesOf, totalOf } from './tables.ts';
import { through } from './through.ts';

export interface BackupOptions extends StoreOptions {
  readonly to: string;
  readonly json?: boolean;
}

const LEASE_WAIT_MS_MAX = 120_000;
/** Rows of small tables that others write meanwhile. */
const ROUNDS_MAX = 4;

/** Throws CONFIG_*, CLICKHOUSE_*, ORIGIN_BUSY, CLI_BACKUP_*, CLI_FILE_UNWRITABLE, CLI_NO_TABLES. */
export async function backupCommand(options: BackupOptions): Promise<void> {
  claim(options.to);
  await withStore(options, async (store) => {
    const { clickhouse } = store;
    const tables = await tablesOf(clickhouse);
    if (tables.length === 0) throw cliError('CLI_NO_TABLES', [clickhouse.url, clickhouse.database]);
    // Nobody forgets rows or closes a day meanwhile.
    await withKeepingLease(clickhouse, LEASE_WAIT_MS_MAX, async () => {
      const started = new Date().toISOString();
      const point = await storedPoint({ database: clickhouse.database, rows: clickhouse.query });
      const [at] = await clickhouse.query<{ migration: number; version: string }>(
        `SELECT max(number) AS migration, version() AS version FROM ${clickhouse.database}.migrations`,
      );
      const files: BackupFile[] = [];
      const totals: BackupTable[] = [];
      for (const table of tables) {
        const written = await backUp(store, table, { folder: options.to, point });
        files.push(...written);
        totals.push(totalOf(table, written));
        process.stdout.write(lineOf(totals.at(-1), written, options.json ?? false));
      }
      const manifest = newManifest({
        database: clickhouse.database,
        migration: at?.migration ?? 0,
        server_version: at?.version ?? '',
        started_ts: started,
        ended_ts: new Date().toISOString(),
        stored_up_to: point,
        tables: totals,
        files,
      });
      await writeJson(join(options.to, MANIFEST), manifest);
      rmSync(join(options.to, UNFINISHED));
    });
  });
}

/** A folder that is new, empty, or holds a backup that was broken off. */
function claim(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const names = readdirSync(folder);
    if (names.length > 0 && !names.includes(UNFINISHED)) throw cliError('CLI_BACKUP_THERE', [folder]);
    if (!existsSync(join(folder, UNFINISHED))) writeFileSync(join(folder, UNFINISHED), '');
    for (const name of names) if (name !== UNFINISHED) rmSync(join(folder, name), { recursive: true });
    removeLeftOvers(folder);
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error) throw error;
    throw cliError('CLI_FILE_UNWRITABLE', [folder, reasonOf(error)], { cause: error });
  }
}

interface Into {
  readonly folder: string;
  readonly point: readonly Place[];
}

/** Its files hold what the table held when all of it was the same before and after. */
async function backUp(store: Store, table: TableAt, into: Into): Promise<readonly BackupFile[]> {
  const { clickhouse } = store;
  const written = new Map<string, BackupFile>();
  let sums = await sumsOf(clickhouse, table, into.point);
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    for (const sum of sums) {
      const there = written.get(sum.partition);
      if (there?.rows !== sum.rows || there.checksum !== sum.checksum)
        written.set(sum.partition, await writePartition(store, { table, sum, into }));
    }
    const after = await sumsOf(clickhouse, table, into.point);
    if (JSON.stringify(after) === JSON.stringify(sums))
      return sums.flatMap((sum) => written.get(sum.partition) ?? []);
    // What was written may be of neither.
    for (const { partition } of changed(sums, after)) {
      const file = written.get(partition);
      if (file) rmSync(join(into.folder, file.file), { force: true });
      written.delete(partition);
    }
    sums = after;
  }
  throw cliError('CLI_BACKUP_CHANGED', [table.name]);
}

function changed(before: readonly PartitionSum[], after: readonly PartitionSum[]): readonly PartitionSum[] {
  const same = new Set(after.map((sum) => JSON.stringify(sum)));
  return before.filter((sum) => !same.has(JSON.stringify(sum)));
}

async function writePartition(
  { clickhouse, connection }: Store,
  { table, sum, into }: { readonly table: TableAt; readonly sum: PartitionSum; readonly into: Into },
): Promise<BackupFile> {
  const file = join(table.name, `${sum.partition}.native.zst`);
  const answer = await connection.ask({
    query: `SELECT ${listOf(table.columns)} ${rowsOf(clickhouse, table, into.point)} AND _partition_id = '${sum.partition}' FORMAT Native`,
    format: 'Native',
  });
  const compressed = through(answer.stream, createZstdCompress());
  const written = await writeDurably(join(into.folder, file), compressed);
  return { file, table: table.name, ...sum, ...written };
}

function lineOf(total: BackupTable | undefined, files: readonly BackupFile[], json: boolean): string {
  const { table = '', rows = 0, checksum = '' } = total ?? {};
  const size = files.reduce((sum, file) => sum + file.bytes, 0);
  if (json) return `${JSON.stringify({ table, rows, checksum, files: files.length, bytes: size })}\n`;
  return `${table}: ${plural(rows, 'row')} in ${plural(files.length, 'file')}, ${bytes(size)}\n`;
}
