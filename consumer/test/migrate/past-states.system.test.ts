import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { batchTableColumns, type Column, eventTableColumns } from '@tcptrail/schemas/stored.ts';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { temporaryFolder } from '../../../test/spool-writer.ts';
import { CLICKHOUSE_FOLDER, migrationFiles } from '../../src/migrate/files.ts';
import { type MigrationClient, migrate } from '../../src/migrate/migrate.ts';
import { type ClickHouse, createClickHouse } from '../../src/store/clickhouse.ts';
import { type Content, contentOf, fillTables, shapeOf } from './shape.ts';

const MIGRATIONS = migrationFiles(CLICKHOUSE_FOLDER);

let server: TestServer;
let anew: Awaited<ReturnType<typeof shapeOf>>;
before(async () => {
  server = await startServer();
  const clickhouse = connect();
  await migrate(clickhouse);
  anew = await shapeOf(clickhouse);
});
after(() => server?.stop());

let databases = 0;
function connect(database = `past_${++databases}`): ClickHouse {
  const { url } = server;
  const clickhouse = createClickHouse({
    url,
    username: 'default',
    password: '',
    database,
    requestWaitMsMax: 30_000,
  });
  after(() => clickhouse.close());
  return clickhouse;
}

/** The files of a program that ended with migration `last`. Views hold nothing and are made anew, so it has few or none. */
function filesUpTo(last: number, views: readonly string[] = []): string {
  const folder = temporaryFolder();
  for (const name of ['migrations', 'views']) mkdirSync(join(folder, name));
  const migrations = MIGRATIONS.filter(({ number }) => number <= last);
  for (const file of [
    ...migrations.map(({ name }) => `migrations/${name}.sql`),
    ...views.map((name) => `views/${name}.sql`),
  ])
    cpSync(join(CLICKHOUSE_FOLDER, file), join(folder, file));
  return folder;
}

interface Past {
  readonly clickhouse: ClickHouse;
  readonly content: ReadonlyMap<string, Content>;
}

/** A database that was brought to migration `last`, with rows in every table. */
async function pastOf(last: number): Promise<Past> {
  const clickhouse = connect();
  await migrate(clickhouse, { folder: filesUpTo(last) });
  await fillTables(clickhouse);
  const content = await contentOf(clickhouse);
  for (const [table, { rows }] of content) assert.ok(rows > 0, table);
  return { clickhouse, content };
}

async function assertNewest({ clickhouse, content }: Past, newest = anew): Promise<void> {
  const shape = await shapeOf(clickhouse);
  for (const [name, rows] of Object.entries(newest)) assert.deepEqual(shape[name], rows, name);
  const now = await contentOf(clickhouse, content);
  for (const [table, then] of content) assert.deepEqual(now.get(table), then, table);
}

suite('a database of each past state', { concurrency: 2 }, () => {
  for (const { number, name } of MIGRATIONS) {
    test(`from ${name} it becomes one made anew, with its rows`, async () => {
      const past = await pastOf(number);
      assert.ok(past.content.has('tcp_events'));
      await migrate(past.clickhouse);
      await assertNewest(past);
    });
  }

  test('from the first one, two runners at once bring it to the newest, each step once', async () => {
    const past = await pastOf(1);
    const { database } = past.clickhouse;
    await Promise.all([migrate(past.clickhouse), migrate(connect(database))]);
    await assertNewest(past);
    const rows = await past.clickhouse.query<{ n: number }>(
      `SELECT count() AS n FROM ${database}.migrations GROUP BY number, name`,
    );
    for (const { n } of rows) assert.equal(n, 1);
  });
});

/** Runs until the statement before which it is killed; its lock is left behind. False when it came to its end. */
async function killedAt(clickhouse: ClickHouse, folder: string, survives: number): Promise<boolean> {
  let left = survives;
  const killed = Promise.withResolvers<true>();
  const dying: MigrationClient = {
    database: clickhouse.database,
    query: clickhouse.query,
    async statement(sql) {
      // What is between a renewal and its statement is no state of its own.
      if (/migration_lock .*MODIFY COMMENT/.test(sql) || left-- > 0) return await clickhouse.statement(sql);
      killed.resolve(true);
      return await new Promise<void>(() => {});
    },
  };
  return await Promise.race([killed.promise, migrate(dying, { folder }).then(() => false)]);
}

test('killed before any statement of the long way, the next run ends it with every row', async () => {
  // All views are made in the same way: two stand for them.
  const folder = filesUpTo(MIGRATIONS.length, ['connections', 'failures']);
  const whole = connect();
  await migrate(whole, { folder });
  const newest = await shapeOf(whole);
  let survives = 0;
  let killed = true;
  while (killed) {
    const past = await pastOf(1);
    const { clickhouse } = past;
    killed = await killedAt(clickhouse, folder, survives++);
    await clickhouse.statement(`DROP TABLE IF EXISTS ${clickhouse.database}.migration_lock`);
    await migrate(clickhouse, { folder });
    await assertNewest(past, newest);
    await clickhouse.statement(`DROP DATABASE ${clickhouse.database}`);
  }
  assert.ok(survives > MIGRATIONS.length, 'it was killed');
});

test('the raw tables have the columns that are generated, in their order', async () => {
  const generated: Readonly<Record<string, readonly Column[]>> = {
    tcp_events: eventTableColumns(),
    tcp_batches: batchTableColumns(),
  };
  const clickhouse = connect();
  await migrate(clickhouse);
  for (const [table, columns] of Object.entries(generated)) {
    const stored = await clickhouse.query<Column>(
      `SELECT name, type, replaceRegexpOne(compression_codec, '^CODEC\\((.*)\\)$', '\\1') AS codec, comment
       FROM system.columns
       WHERE database = {database:String} AND table = {table:String} AND default_kind = '' ORDER BY position`,
      { database: clickhouse.database, table },
    );
    assert.deepEqual(
      stored,
      columns
        .filter(({ alias }) => alias === undefined)
        .map(({ name, type, codec, comment }) => ({ name, type, codec, comment })),
    );
    const computed = await clickhouse.query<Column>(
      `SELECT name, type, comment FROM system.columns
       WHERE database = {database:String} AND table = {table:String} AND default_kind = 'ALIAS'`,
      { database: clickhouse.database, table },
    );
    for (const { name, type, comment } of columns.filter(({ alias }) => alias !== undefined))
      assert.deepEqual(
        computed.find((column) => column.name === name),
        { name, type, comment },
      );
  }
});
