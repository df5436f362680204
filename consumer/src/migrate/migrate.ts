/**
 * Brings a database to this program's tables and views.
 *
 * Migrations are applied once, forward only, and recorded in `migrations`; each statement of theirs can be run again,
 * so that a kill at any point is mended by the next run. Views are made anew when their text changed, and so are, on a
 * cluster, the tables over all shards.
 */
import { failure } from '../errors.ts';
import { type Form, fillTemplate, onCluster } from '../form.ts';
import { assertForm } from './assert-form.ts';
import { type ColdVolume, coldVolumeSteps } from './cold-volume.ts';
import { CLICKHOUSE_FOLDER, migrationFiles, type SqlFile, shardedFile, viewFiles } from './files.ts';
import { createMigrationLock } from './lock.ts';
import { retentionSteps, withoutRetention } from './retention.ts';
import { statementsOf } from './statements.ts';

export interface MigrationClient extends Form {
  query<T>(sql: string, params?: Record<string, unknown>): Promise<T[]>;
  statement(sql: string): Promise<void>;
}

export interface MigrateOptions {
  /** Only say what would be done. */
  readonly plan?: boolean;
  readonly folder?: string;
  /** Absent: events stay where they are. */
  readonly cold?: ColdVolume;
  /** Puts back the TTL of tables that have none. */
  readonly retention?: boolean;
  readonly lockWaitMsMax?: number;
}

export interface Migrated {
  /** What was, or would be, applied, in its order. */
  readonly applied: readonly Step[];
  /** Tables that stay without the TTL that the migrations gave them. */
  readonly withoutRetention: readonly string[];
}

export interface Step {
  /** `0001_raw`, `view connections`, `tables over all shards`, `cold volume of tcp_events`, `retention of tier_1h, …`. */
  readonly name: string;
  readonly statements: readonly string[];
}

interface Recorded {
  readonly number: number;
  readonly name: string;
  readonly hash: string;
}

const LOCK_WAIT_MS_MAX = 120_000;

/** Throws MIGRATION_CHANGED, MIGRATION_NEWER, MIGRATION_FORM, MIGRATION_LOCKED, CLICKHOUSE_NO_VOLUME, or what ClickHouse answered. */
export async function migrate(client: MigrationClient, options: MigrateOptions = {}): Promise<Migrated> {
  const folder = options.folder ?? CLICKHOUSE_FOLDER;
  const files = migrationFiles(folder);
  const views = [...(client.cluster ? [shardedFile(files, client)] : []), ...viewFiles(folder)];
  const stepOf = (file: SqlFile): Step => ({
    name: titleOf(file),
    statements: statementsOf(file.sql).map((statement) => fillTemplate(statement, client)),
  });
  await assertForm(client);
  const before = pending(files, views, await recorded(client));
  const { cold } = options;
  const ageing = async (): Promise<readonly Step[]> => [
    ...(cold ? await coldVolumeSteps(client, cold) : []),
    ...(options.retention ? await retentionSteps(client, await withoutRetention(client), cold) : []),
  ];
  const migrated = async (applied: readonly Step[]): Promise<Migrated> => ({
    applied,
    withoutRetention: options.retention ? [] : await withoutRetention(client),
  });
  const planned = [...before.map(stepOf), ...(await ageing())];
  if (options.plan || planned.length === 0) return await migrated(planned);

  await client.statement(`CREATE DATABASE IF NOT EXISTS ${client.database} ${onCluster(client)}`);
  const lock = createMigrationLock(client);
  await lock.acquire(options.lockWaitMsMax ?? LOCK_WAIT_MS_MAX);
  try {
    await client.statement(recordTable(client));
    const todo = pending(files, views, await recorded(client));
    for (const file of todo) {
      for (const statement of stepOf(file).statements) {
        await lock.renew();
        await client.statement(statement);
      }
      await client.statement(
        `INSERT INTO ${client.database}.migrations (number, name, hash) VALUES (${file.number}, '${file.name}', '${file.hash}')`,
      );
    }
    const moves = await ageing();
    for (const statement of moves.flatMap(({ statements }) => statements)) {
      await lock.renew();
      await client.statement(statement);
    }
    return await migrated([...todo.map(stepOf), ...moves]);
  } finally {
    await lock.release();
  }
}

/** One table for all hosts of a cluster, whatever their shard. */
export function recordTable(form: Form): string {
  const copies = form.cluster ? `'/clickhouse/tables/{uuid}/all', '{shard}-{replica}', ` : '';
  return fillTemplate(
    `CREATE TABLE IF NOT EXISTS {database}.migrations {on_cluster}
     (
         number UInt32 COMMENT 'Number of the migration; 0 for a view.',
         name String COMMENT 'File name without .sql.',
         hash FixedString(64) COMMENT 'SHA-256 of the file.',
         applied_ts DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When it was applied. Unit: us.'
     )
     ENGINE = {replicated}ReplacingMergeTree(${copies}applied_ts) ORDER BY (number, name)
     COMMENT 'One row per applied migration and view; read it with FINAL.'`,
    form,
  );
}

async function recorded(client: MigrationClient): Promise<readonly Recorded[]> {
  const [table] = await client.query<{ n: number }>(
    `SELECT count() AS n FROM system.tables WHERE database = {database:String} AND name = 'migrations'`,
    { database: client.database },
  );
  if (table?.n !== 1) return [];
  return await client.query<Recorded>(`SELECT number, name, hash FROM ${client.database}.migrations FINAL`);
}

function pending(
  files: readonly SqlFile[],
  views: readonly SqlFile[],
  applied: readonly Recorded[],
): readonly SqlFile[] {
  const newest = Math.max(0, ...files.map(({ number }) => number));
  const newer = applied.find(({ number }) => number > newest);
  if (newer) {
    throw failure(
      'MIGRATION_NEWER',
      `the database has migration ${newer.name}, this program ends at ${newest}; update tcptrail`,
    );
  }
  const known = (file: SqlFile): Recorded | undefined =>
    applied.find(({ number, name }) => number === file.number && (number > 0 || name === file.name));
  for (const file of files) {
    const old = known(file);
    if (old && old.hash !== file.hash) {
      throw failure(
        'MIGRATION_CHANGED',
        `migration ${file.name} was changed after it was applied; restore the file and add a new migration instead`,
      );
    }
  }
  return [
    ...files.filter((file) => !known(file)),
    ...views.filter((view) => known(view)?.hash !== view.hash),
  ];
}

function titleOf({ number, name }: SqlFile): string {
  return number > 0 || name.includes(' ') ? name : `view ${name}`;
}
