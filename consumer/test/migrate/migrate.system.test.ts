import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { temporaryFolder } from '../../../test/spool-writer.ts';
import { CLICKHOUSE_FOLDER } from '../../src/migrate/files.ts';
import { createMigrationLock } from '../../src/migrate/lock.ts';
import { type Migrated, migrate } from '../../src/migrate/migrate.ts';
import { type ClickHouse, createClickHouse } from '../../src/store/clickhouse.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

let databases = 0;
function connect(database = `migrate_${++databases}`): ClickHouse {
  const clickhouse = createClickHouse({
    url: server.url,
    username: 'default',
    password: '',
    database,
    requestWaitMsMax: 30_000,
  });
  after(() => clickhouse.close());
  return clickhouse;
}

function copyOfFiles(): string {
  const folder = temporaryFolder();
  cpSync(CLICKHOUSE_FOLDER, folder, { recursive: true });
  return folder;
}

const namesOf = ({ applied }: Migrated): readonly string[] => applied.map(({ name }) => name);

test('a second run finds nothing to do', async () => {
  const clickhouse = connect();
  const plan = await migrate(clickhouse, { plan: true });
  const first = await migrate(clickhouse);
  assert.deepEqual(first, plan);
  assert.ok(namesOf(first).includes('0001_raw') && namesOf(first).includes('view completeness'));
  assert.deepEqual(await migrate(clickhouse), { applied: [], withoutRetention: [] });
});

test('a run that was killed after any statement is mended by the next one', async () => {
  for (let survives = 1; survives < 14; survives += 3) {
    const clickhouse = connect();
    let left = survives;
    const killed = Promise.withResolvers<void>();
    const dying = {
      database: clickhouse.database,
      query: clickhouse.query,
      async statement(sql: string) {
        if (left-- > 0) return await clickhouse.statement(sql);
        killed.resolve();
        return await new Promise<void>(() => {});
      },
    };
    // The dead runner's lock stays behind.
    void migrate(dying);
    await killed.promise;
    await clickhouse.statement(`CREATE DATABASE IF NOT EXISTS ${clickhouse.database}`);
    await clickhouse.statement(`DROP TABLE IF EXISTS ${clickhouse.database}.migration_lock`);
    await migrate(clickhouse);
    const [row] = await clickhouse.query<{ n: number }>(
      `SELECT count() AS n FROM ${clickhouse.database}.completeness`,
    );
    assert.equal(row?.n, 0);
  }
});

test('two runners at once apply everything once', async () => {
  const clickhouse = connect();
  await Promise.all([migrate(clickhouse), migrate(connect(clickhouse.database))]);
  const rows = await clickhouse.query<{ n: number }>(
    `SELECT count() AS n FROM ${clickhouse.database}.migrations GROUP BY number, name`,
  );
  assert.ok(rows.length > 5);
  for (const { n } of rows) assert.equal(n, 1);
});

test('a lock whose lease ran out is taken over', async () => {
  const clickhouse = connect();
  await clickhouse.statement(`CREATE DATABASE ${clickhouse.database}`);
  await createMigrationLock(clickhouse, -1).acquire(0);
  await migrate(clickhouse);
});

test('a migration changed after it was applied is refused by name', async () => {
  const clickhouse = connect();
  const folder = copyOfFiles();
  await migrate(clickhouse, { folder });
  const file = join(folder, 'migrations/0002_parked.sql');
  writeFileSync(file, `${readFileSync(file, 'utf8')}-- changed\n`);
  await assert.rejects(
    migrate(clickhouse, { folder }),
    /migration 0002_parked was changed after it was applied/,
  );
});

test('a database newer than the program is refused', async () => {
  const clickhouse = connect();
  const folder = copyOfFiles();
  writeFileSync(join(folder, 'migrations/0099_later.sql'), 'SELECT 1;\n');
  await migrate(clickhouse, { folder });
  await assert.rejects(
    migrate(clickhouse),
    /has migration 0099_later, this program ends at \d+; update tcptrail/,
  );
});

test('a view whose text changed is made anew', async () => {
  const clickhouse = connect();
  const folder = copyOfFiles();
  await migrate(clickhouse, { folder });
  const file = join(folder, 'views/failures.sql');
  writeFileSync(file, `-- changed\n${readFileSync(file, 'utf8')}`);
  assert.deepEqual(namesOf(await migrate(clickhouse, { folder })), ['view failures']);
});

test('every view and every column of one has a comment', async () => {
  const clickhouse = connect();
  await migrate(clickhouse);
  const bare = await clickhouse.query(
    `SELECT table, name FROM system.columns WHERE database = '${clickhouse.database}' AND comment = '' AND table NOT IN ('migration_lock')`,
  );
  assert.deepEqual(bare, []);
});

test('a minute of a past day is looked up in its hour alone', async () => {
  const clickhouse = connect();
  await migrate(clickhouse);
  const table = `${clickhouse.database}.tcp_events`;
  await clickhouse.statement(
    `INSERT INTO ${table} (day, ts, host_id, socket_cookie)
     SELECT yesterday(), toDateTime64(yesterday(), 6, 'UTC') + toIntervalSecond(number), 'host', number
     FROM numbers(86400) SETTINGS max_insert_threads = 1`,
  );
  const minute = `toDateTime64(yesterday(), 6, 'UTC') + toIntervalMinute(60 * 12 + 5)`;
  const plan = await clickhouse.query<{ explain: string }>(
    `EXPLAIN indexes = 1 SELECT count() FROM ${table}
     WHERE day = yesterday() AND ts >= ${minute} AND ts < ${minute} + toIntervalMinute(1)`,
  );
  const text = plan.map(({ explain }) => explain.trim()).join('\n');
  const [, read, all] = /PrimaryKey\n[\s\S]*?Granules: (\d+)\/(\d+)/.exec(text) ?? [];
  assert.ok(Number(all) >= 10, text);
  assert.ok(Number(read) <= 2, text);
});
