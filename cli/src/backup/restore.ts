/**
 * `tcptrail restore`: fills a database that has no rows from a backup.
 *
 * A table `restoring` names the backup as long as it is not whole: then it may be begun again, and what of a partition
 * is not as it must be is dropped and inserted anew. Partitions that have aged stay in the backup: they would go at once.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createZstdDecompress } from 'node:zlib';
import { onCluster } from '@tcptrail/consumer/form.ts';
import { SMALL_BLOCKS } from '@tcptrail/consumer/keep/small-blocks.ts';
import type { ColdVolume } from '@tcptrail/consumer/migrate/cold-volume.ts';
import { CLICKHOUSE_FOLDER, migrationFiles } from '@tcptrail/consumer/migrate/files.ts';
import { migrate } from '@tcptrail/consumer/migrate/migrate.ts';
import { agedDays, noRetention, withoutRetention } from '@tcptrail/consumer/migrate/retention.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { measure } from '../durable-file.ts';
import { cliError } from '../errors.ts';
import { keepForEver } from '../keep-for-ever.ts';
import { type StoreOptions, withStore } from '../store.ts';
import { plural } from '../terminal/human.ts';
import { type BackupFile, type BackupManifest, type BackupTable, readManifest } from './manifest.ts';
import { listOf, rowsOf, sumsOf, type TableAt, tablesOf, totalOf } from './tables.ts';
import { through } from './through.ts';

export interface RestoreOptions extends StoreOptions {
  readonly from: string;
  readonly keepAll?: boolean;
  readonly json?: boolean;
}

const MARK = 'restoring';

/** Throws CONFIG_*, CLICKHOUSE_*, MIGRATION_*, CLI_BACKUP_*, CLI_RESTORE_*. */
export async function restoreCommand(options: RestoreOptions): Promise<void> {
  const { from, json = false } = options;
  const { manifest, id } = readManifest(from);
  if (manifest.migration > newestMigration()) throw cliError('CLI_BACKUP_NEWER', [from]);
  for (const file of manifest.files) await assertWhole(from, file);
  await withStore(options, async ({ clickhouse, cold }) => {
    await begin(clickhouse, { id, cold });
    const tables = await tablesOf(clickhouse);
    if (options.keepAll) await keepForEver(clickhouse);
    let rowsAged = 0;
    for (const said of manifest.tables) {
      const table = tables.find(({ name }) => name === said.table);
      if (!table) throw cliError('CLI_RESTORE_DIFFERS', [said.table, 'the table is not in this database']);
      const asThen = { ...table, columns: columnsThen(table, said) };
      const files = manifest.files.filter((file) => file.table === said.table);
      const parts = await partedByAge(clickhouse, said.table, files);
      const restored = totalOf(asThen, parts.kept);
      let ageing = 0;
      await withoutAgeing(clickhouse, said.table, async () => {
        await fill(clickhouse, asThen, { folder: from, ...parts });
        await assertSame(clickhouse, asThen, restored);
        ageing = await rowsAgeing(clickhouse, asThen);
      });
      const aged = totalOf(asThen, parts.aged).rows;
      rowsAged += aged + ageing;
      process.stdout.write(json ? jsonOf(restored, { aged, ageing }) : textOf(restored, { aged, ageing }));
    }
    await clickhouse.statement(`DROP TABLE ${clickhouse.database}.${MARK}`);
    if (!json) process.stdout.write(await afterwards(clickhouse, manifest, rowsAged));
  });
}

/** As the backup has them, in its order, which its sums depend on: a later migration may have added columns, or moved them. */
function columnsThen({ columns }: TableAt, { table, columns: names }: BackupTable): TableAt['columns'] {
  return names.map((name) => {
    const column = columns.find((each) => each.name === name);
    if (!column) throw cliError('CLI_RESTORE_DIFFERS', [table, `this database has no column ${name}`]);
    return column;
  });
}

interface Aged {
  /** Rows of partitions that are not restored. */
  readonly aged: number;
  /** Rows of partitions that are, as they hold younger days too; they go soon. */
  readonly ageing: number;
}

const jsonOf = ({ table, rows, checksum }: BackupTable, { aged, ageing }: Aged): string =>
  `${JSON.stringify({ table, rows, checksum, rows_aged: aged, rows_ageing: ageing })}\n`;

function textOf({ table, rows }: BackupTable, { aged, ageing }: Aged): string {
  const parts = [
    `${table}: ${plural(rows, 'row')}`,
    ...(ageing > 0 ? [`${plural(ageing, 'row')} of them of days that have aged, which go soon`] : []),
    ...(aged > 0 ? [`${plural(aged, 'row')} of days that have aged stay in the backup`] : []),
  ];
  return `${parts.join('; ')}\n`;
}

const newestMigration = (): number =>
  Math.max(...migrationFiles(CLICKHOUSE_FOLDER).map(({ number }) => number));

async function assertWhole(folder: string, { file, bytes, sha256 }: BackupFile): Promise<void> {
  const is = await measure(join(folder, file));
  if (is?.bytes !== bytes || is.sha256 !== sha256) throw cliError('CLI_BACKUP_DAMAGED', [join(folder, file)]);
}

/** Makes the tables; throws CLI_RESTORE_NOT_EMPTY where there are rows of anything but this backup. */
async function begin(
  clickhouse: ClickHouse,
  { id, cold }: { readonly id: string; readonly cold: ColdVolume },
): Promise<void> {
  const { database, query, statement } = clickhouse;
  const [mark] = await query<{ comment: string }>(
    'SELECT comment FROM system.tables WHERE database = {database:String} AND name = {mark:String}',
    { database, mark: MARK },
  );
  if (mark && mark.comment !== id) throw cliError('CLI_RESTORE_NOT_EMPTY', [database, MARK]);
  if (!mark)
    for (const { name } of await tablesOf(clickhouse)) {
      const [row] = await query<{ n: number }>(`SELECT count() AS n FROM ${database}.${name}`);
      if (row && row.n > 0) throw cliError('CLI_RESTORE_NOT_EMPTY', [database, name]);
    }
  await migrate(clickhouse, { cold });
  await statement(
    `CREATE TABLE IF NOT EXISTS ${database}.${MARK} (backup String) ENGINE = Memory COMMENT '${id}'`,
  );
}

interface PartedByAge {
  readonly kept: readonly BackupFile[];
  /** What would go as soon as it is there. */
  readonly aged: readonly BackupFile[];
}

async function partedByAge(
  clickhouse: ClickHouse,
  table: string,
  files: readonly BackupFile[],
): Promise<PartedByAge> {
  const days = files.flatMap(({ day_max }) => (day_max === '' ? [] : [day_max]));
  const gone = await agedDays(clickhouse, table, days);
  return {
    kept: files.filter(({ day_max }) => !gone.has(day_max)),
    aged: files.filter(({ day_max }) => gone.has(day_max)),
  };
}

/** Rows that are there and that the TTL takes. */
async function rowsAgeing(clickhouse: ClickHouse, table: TableAt): Promise<number> {
  if (!table.columns.some(({ name }) => name === 'day')) return 0;
  const days = await clickhouse.query<{ day: string; rows: number }>(
    `SELECT toString(day) AS day, count() AS rows ${rowsOf(clickhouse, table)} GROUP BY day`,
  );
  const gone = await agedDays(
    clickhouse,
    table.name,
    days.map(({ day }) => day),
  );
  return days.filter(({ day }) => gone.has(day)).reduce((sum, { rows }) => sum + rows, 0);
}

/**
 * A month has days that are older than the retention and days that are not: parts of the older alone would go before
 * they are compared. Killed in between, the table does not age until the restore is run again, or the server is.
 */
async function withoutAgeing(clickhouse: ClickHouse, table: string, use: () => Promise<void>): Promise<void> {
  const ageing = (what: 'START' | 'STOP'): Promise<void> =>
    clickhouse.statement(
      `SYSTEM ${what} TTL MERGES ${onCluster(clickhouse)} ${clickhouse.database}.${table}`,
    );
  await ageing('STOP');
  try {
    await use();
  } finally {
    await ageing('START');
  }
}

/** Each partition as the backup has it; those that are so already are left. */
async function fill(
  clickhouse: ClickHouse,
  table: TableAt,
  { folder, kept, aged }: PartedByAge & { readonly folder: string },
): Promise<void> {
  const { database } = clickhouse;
  const there = new Map((await sumsOf(clickhouse, table)).map((sum) => [sum.partition, sum]));
  const drop = (partition: string): Promise<void> =>
    clickhouse.statement(`ALTER TABLE ${database}.${table.name} DROP PARTITION ID '${partition}'`);
  // They were younger when this was begun.
  for (const { partition } of aged) if (there.has(partition)) await drop(partition);
  for (const { file, partition, rows, checksum } of kept) {
    const sum = there.get(partition);
    if (sum?.rows === rows && sum.checksum === checksum) continue;
    await drop(partition);
    await clickhouse.insert({
      query: `INSERT INTO ${database}.${table.name} (${listOf(table.columns)}) FORMAT Native`,
      body: through(createReadStream(join(folder, file)), createZstdDecompress()),
      settings: {
        ...SMALL_BLOCKS,
        async_insert: 0,
        wait_end_of_query: 1,
        insert_deduplication_token: randomUUID(),
      },
    });
  }
}

async function assertSame(clickhouse: ClickHouse, table: TableAt, said: BackupTable): Promise<void> {
  const is = totalOf(table, await sumsOf(clickhouse, table));
  if (is.rows === said.rows && is.checksum === said.checksum) return;
  throw cliError('CLI_RESTORE_DIFFERS', [
    said.table,
    `${is.rows} rows with checksum ${is.checksum}, and the backup has ${said.rows} with ${said.checksum}`,
  ]);
}

/** What is left to do, in sentences. */
async function afterwards(
  clickhouse: ClickHouse,
  { stored_up_to: places }: BackupManifest,
  rowsAged: number,
): Promise<string> {
  const without = await withoutRetention(clickhouse);
  const kafka = places.filter(({ origin }) => origin.includes('@')).length;
  const sentences = [
    kafka > 0
      ? `restored; set the consumer group back to behind the ${plural(kafka, 'offset')} of stored_up_to in backup.json: what came since is stored again, what is there is recognised`
      : 'restored; a consumer of a spool reads again what the spool still holds when its cursor/clickhouse.json is removed',
    ...(rowsAged > 0
      ? [
          `${plural(rowsAged, 'row')} of days older than the retention stay in the backup; --keep-all brings them back into a database that keeps all`,
        ]
      : []),
    ...(without.length > 0 ? [noRetention(without, clickhouse)] : []),
  ];
  return sentences.map((sentence) => `${sentence}\n`).join('');
}
