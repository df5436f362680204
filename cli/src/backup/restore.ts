/**
 * `tcptrail restore`: fills a database that has no rows from a backup.
 *
 * A table `restoring` names the backup as long as it is not whole: then it may be begun again, and what of a partition
 * is not as it must be is dropped and inserted anew.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createZstdDecompress } from 'node:zlib';
import { CLICKHOUSE_FOLDER, migrationFiles } from '@tcptrail/consumer/migrate/files.ts';
import { migrate } from '@tcptrail/consumer/migrate/migrate.ts';
import type { ClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { measure } from '../durable-file.ts';
import { cliError } from '../errors.ts';
import { keepForEver } from '../keep-for-ever.ts';
import { type StoreOptions, withStore } from '../store.ts';
import { plural } from '../terminal/human.ts';
import { type BackupFile, type BackupManifest, type BackupTable, readManifest } from './manifest.ts';
import { listOf, sumsOf, type TableAt, tablesOf, totalOf } from './tables.ts';

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
  await withStore(options, async ({ clickhouse }) => {
    await begin(clickhouse, id);
    const tables = await tablesOf(clickhouse);
    if (options.keepAll) await keepForEver(clickhouse);
    else await assertNotAged(clickhouse, manifest);
    for (const said of manifest.tables) {
      const table = tables.find(({ name }) => name === said.table);
      if (!table) throw cliError('CLI_RESTORE_DIFFERS', [said.table, 'the table is not in this database']);
      // As the backup has it: a later migration may have added columns.
      const asThen = { ...table, columns: table.columns.filter(({ name }) => said.columns.includes(name)) };
      const files = manifest.files.filter((file) => file.table === said.table);
      await fill(clickhouse, asThen, { folder: from, files });
      await assertSame(clickhouse, asThen, said);
      process.stdout.write(
        json
          ? `${JSON.stringify({ table: said.table, rows: said.rows, checksum: said.checksum })}\n`
          : `${said.table}: ${plural(said.rows, 'row')}\n`,
      );
    }
    await clickhouse.statement(`DROP TABLE ${clickhouse.database}.${MARK}`);
    if (!json) process.stdout.write(afterwards(manifest));
  });
}

const newestMigration = (): number =>
  Math.max(...migrationFiles(CLICKHOUSE_FOLDER).map(({ number }) => number));

async function assertWhole(folder: string, { file, bytes, sha256 }: BackupFile): Promise<void> {
  const is = await measure(join(folder, file));
  if (is?.bytes !== bytes || is.sha256 !== sha256) throw cliError('CLI_BACKUP_DAMAGED', [join(folder, file)]);
}

/** Makes the tables; throws CLI_RESTORE_NOT_EMPTY where there are rows of anything but this backup. */
async function begin(clickhouse: ClickHouse, id: string): Promise<void> {
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
  await migrate(clickhouse);
  await statement(
    `CREATE TABLE IF NOT EXISTS ${database}.${MARK} (backup String) ENGINE = Memory COMMENT '${id}'`,
  );
}

/** Each partition as the backup has it; those that are so already are left. */
async function fill(
  clickhouse: ClickHouse,
  table: TableAt,
  { folder, files }: { readonly folder: string; readonly files: readonly BackupFile[] },
): Promise<void> {
  const { database } = clickhouse;
  const there = new Map((await sumsOf(clickhouse, table)).map((sum) => [sum.partition, sum]));
  for (const { file, partition, rows, checksum } of files) {
    const sum = there.get(partition);
    if (sum?.rows === rows && sum.checksum === checksum) continue;
    await clickhouse.statement(`ALTER TABLE ${database}.${table.name} DROP PARTITION ID '${partition}'`);
    await clickhouse.insert({
      query: `INSERT INTO ${database}.${table.name} (${listOf(table.columns)}) FORMAT Native`,
      body: createReadStream(join(folder, file)).compose(createZstdDecompress()),
      settings: { async_insert: 0, wait_end_of_query: 1, insert_deduplication_token: randomUUID() },
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

/** What would go as soon as it is there. */
async function assertNotAged(clickhouse: ClickHouse, { files }: BackupManifest): Promise<void> {
  const ages = await clickhouse.query<{ name: string; count: number; unit: 'Day' | 'Month' }>(
    `SELECT name, toUInt32(extract(engine_full, 'TTL day \\\\+ toInterval(?:Day|Month)\\\\((\\\\d+)\\\\)')) AS count,
            extract(engine_full, 'TTL day \\\\+ toInterval(Day|Month)') AS unit
     FROM system.tables WHERE database = {database:String} AND unit != ''`,
    { database: clickhouse.database },
  );
  for (const { name, count, unit } of ages) {
    const end = new Date();
    if (unit === 'Day') end.setUTCDate(end.getUTCDate() - count);
    else end.setUTCMonth(end.getUTCMonth() - count);
    const aged = files.filter(
      ({ table, day_max }) => table === name && day_max <= end.toISOString().slice(0, 10),
    );
    if (aged.length > 0) throw cliError('CLI_RESTORE_AGED', [plural(aged.length, 'partition'), name]);
  }
}

function afterwards({ stored_up_to: places }: BackupManifest): string {
  const kafka = places.filter(({ origin }) => origin.includes('@')).length;
  if (kafka > 0)
    return `restored; set the consumer group back to behind the ${plural(kafka, 'offset')} of stored_up_to in backup.json: what came since is stored again, what is there is recognised\n`;
  return 'restored; a consumer of a spool reads again what the spool still holds when its cursor/clickhouse.json is removed\n';
}
