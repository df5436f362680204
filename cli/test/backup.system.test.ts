import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { closeDaysAlone } from '../../consumer/src/keeping.ts';
import { insertParked } from '../../consumer/src/store/parked.ts';
import { startServer, type TestServer } from '../../test/harness/server.ts';
import { counts, setUpSpool } from '../../test/harness/spool-consumer.ts';
import { until } from '../../test/harness/until.ts';
import { HOST, NOW_US, temporaryFolder } from '../../test/spool-writer.ts';
import type { BackupManifest } from '../src/backup/manifest.ts';
import { DAY_US, dayOf, type Kept, lines, TODAY, useKeptDatabases } from './kept-database.ts';
import { isOneSentence, run, start } from './run-command.ts';

const createKept = useKeptDatabases();

/** Rows in every table. */
async function filled(): Promise<Kept> {
  const kept = await createKept();
  for (const [seq, daysAgo] of [
    [1, 2],
    [2, 1],
    [3, 0],
  ] as const) {
    const peers = ['203.0.113.80', '198.51.100.7', '2001:db8::7'];
    const events = peers.map((address, index) => ({ seq: seq * 10 + index, peer: { address, port: 443 } }));
    await kept.put({ batch_seq: seq, batch_ts: NOW_US - daysAgo * DAY_US }, events);
  }
  await closeDaysAlone(kept.clickhouse, NOW_US / 1000 + DAY_US / 1000);
  await insertParked(kept.clickhouse, [
    {
      origin: 'spool:made',
      originPartition: 0,
      originOffset: 4,
      identity: { hostId: HOST, agentEpoch: NOW_US, batchSeq: 4 },
      reason: 'SEGMENT_CORRUPT',
      detail: '',
    },
  ]);
  await kept.sql(
    `INSERT INTO {db}.tcp_parked_outcomes (origin, origin_partition, origin_offset, outcome, why) VALUES ('spool:made', 0, 4, 'discarded', 'test')`,
  );
  await lines([
    ...['hold', 'add', ...kept.at, '--address', '198.51.100.7', '--reason', 'a case', '--author', 'legal'],
    ...['--until', dayOf(NOW_US + DAY_US)],
  ]);
  await lines(['forget', ...kept.at, '--address', '203.0.113.80', '--yes']);
  return kept;
}

/** A batch of 30 days ago with two events, and one of today with one. */
async function withOldDay(): Promise<{ readonly kept: Kept; readonly folder: string }> {
  const kept = await createKept();
  await kept.sql('ALTER TABLE {db}.tcp_batches REMOVE TTL');
  await kept.sql('ALTER TABLE {db}.tcp_events REMOVE TTL');
  await kept.put({ batch_seq: 1, batch_ts: NOW_US - 30 * DAY_US }, [{ seq: 1 }, { seq: 2 }]);
  await kept.put({ batch_seq: 2 }, [{ seq: 9 }]);
  const folder = temporaryFolder();
  await backup(kept, folder);
  return { kept, folder };
}

interface Total {
  readonly table: string;
  readonly rows: number;
  readonly checksum: string;
}

const backup = (kept: Kept, folder: string): Promise<readonly Total[]> =>
  lines<Total>(['backup', ...kept.at, '--to', folder]);
const restoreArgs = (kept: Kept, folder: string, database: string): readonly string[] => [
  ...['restore', '--url', kept.url, '--database', database, '--from', folder],
];
const manifestOf = (folder: string): BackupManifest =>
  JSON.parse(readFileSync(join(folder, 'backup.json'), 'utf8'));

/** Rows that differ between two databases, in any table. */
async function differences(kept: Kept, other: string): Promise<readonly string[]> {
  const found: string[] = [];
  const tables = await kept.rows<{ name: string; engine: string }>(
    "SELECT name, engine FROM system.tables WHERE database = '{db}' AND engine LIKE '%MergeTree' AND name != 'migrations'",
  );
  for (const { name, engine } of tables) {
    const final = engine.includes('Replacing') ? 'FINAL' : '';
    const columns = await kept.rows<{ name: string; type: string }>(
      `SELECT name, type FROM system.columns WHERE database = '{db}' AND table = '${name}' AND default_kind != 'ALIAS'`,
    );
    const shown = columns.map((column) =>
      column.type.startsWith('Aggregate') ? `finalizeAggregation(${column.name})` : `\`${column.name}\``,
    );
    const rows = (database: string) =>
      `SELECT toString(tuple(${shown.join(', ')})) AS row FROM ${database}.${name} ${final}`;
    const [n] = await kept.rows<{ all: number; other: number }>(
      `SELECT (SELECT count() FROM (${rows(kept.name)})) AS all,
         (SELECT count() FROM (${rows(kept.name)} INTERSECT ALL ${rows(other)})) AS same,
         (SELECT count() FROM (${rows(other)})) AS other, all != same OR other != same AS differs
       WHERE differs`,
    );
    if (n) found.push(`${name}: ${JSON.stringify(n)}`);
  }
  return found;
}

suite('a backup', { concurrency: 2 }, () => {
  test('a restored database holds every row of every table', async () => {
    const kept = await filled();
    const folder = temporaryFolder();
    const totals = await backup(kept, folder);
    const empty = totals.filter(({ rows }) => rows === 0).map(({ table }) => table);
    assert.deepEqual(empty, []);
    for (const table of [
      'tcp_events',
      'tcp_batches',
      'tcp_parked',
      'tier_5m',
      'tier_edges',
      'holds',
      'forgotten_rows',
    ])
      assert.ok(
        totals.some((total) => total.table === table),
        table,
      );
    const restored = `${kept.name}_restored`;
    const back = await lines<Total>([...restoreArgs(kept, folder, restored)]);
    assert.deepEqual(
      back,
      totals.map(({ table, rows, checksum }) => ({ table, rows, checksum, rows_aged: 0, rows_ageing: 0 })),
    );
    assert.deepEqual(await differences(kept, restored), []);
    const views = ['connections', 'connections_5m', 'edges', 'completeness'];
    for (const view of views) {
      const rows = async (database: string) =>
        await kept.rows(
          `SELECT toString(tuple(* EXCEPT ${view === 'connections_5m' ? 'peers' : 'host_id'})) AS row FROM ${database}.${view} ORDER BY row`,
        );
      assert.deepEqual(await rows(restored), await rows(kept.name), view);
    }
    // The comparison can fail.
    await kept.sql(
      `ALTER TABLE ${restored}.tcp_events UPDATE uid = 5 WHERE seq = 31 SETTINGS mutations_sync = 2`,
    );
    assert.equal((await differences(kept, restored)).length, 1);
  });

  test('a database with rows is refused, and so is another backup after one that was broken off', async () => {
    const kept = await filled();
    const folder = temporaryFolder();
    await backup(kept, folder);
    const full = await run(restoreArgs(kept, folder, kept.name));
    assert.equal(full.code, 2);
    assert.ok(isOneSentence(full.stderr), full.stderr);
    assert.match(full.stderr, /has rows already, in .*, and nothing of it is overwritten/);
    const again = await run(['backup', ...kept.at, '--to', folder]);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /holds files already/);
  });

  test('a table whose columns stood in another order is restored, and compared by the order of the backup', async () => {
    const kept = await filled();
    await kept.sql('ALTER TABLE {db}.tcp_events MODIFY COLUMN uid UInt32 FIRST');
    const folder = temporaryFolder();
    const totals = await backup(kept, folder);
    const restored = `${kept.name}_order`;
    const back = await lines<Total>(restoreArgs(kept, folder, restored));
    assert.deepEqual(
      back,
      totals.map(({ table, rows, checksum }) => ({ table, rows, checksum, rows_aged: 0, rows_ageing: 0 })),
    );
    assert.deepEqual(await differences(kept, restored), []);
  });

  test('a file that is not as it was refuses the whole, before anything is made', async () => {
    const kept = await filled();
    const folder = temporaryFolder();
    await backup(kept, folder);
    const [file] = manifestOf(folder).files;
    assert.ok(file);
    const path = join(folder, file.file);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const ended = await run(restoreArgs(kept, folder, `${kept.name}_damaged`));
    assert.equal(ended.code, 1);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
    assert.match(ended.stderr, /is not what backup.json says of it/);
    const made = await kept.rows(`SELECT name FROM system.databases WHERE name = '${kept.name}_damaged'`);
    assert.deepEqual(made, []);
    rmSync(join(folder, 'backup.json'));
    const none = await run(restoreArgs(kept, folder, `${kept.name}_damaged`));
    assert.equal(none.code, 2);
    assert.match(none.stderr, /holds no whole backup/);
  });

  test('a restore that was killed amid a table is begun again', async () => {
    const kept = await filled();
    const folder = temporaryFolder();
    await backup(kept, folder);
    const restored = `${kept.name}_killed`;
    const running = start(restoreArgs(kept, folder, restored));
    await until('a table is there again', async () => {
      const there = await kept
        .rows<{ n: number }>(`SELECT count() AS n FROM ${restored}.holds`)
        .catch(() => []);
      return there[0]?.n === 1;
    });
    running.child.kill('SIGKILL');
    await running.ended;
    // A part of an INSERT.
    await kept.sql(`INSERT INTO ${restored}.tcp_events SELECT * FROM {db}.tcp_events WHERE seq = 31`);
    await lines([...restoreArgs(kept, folder, restored)]);
    assert.deepEqual(await differences(kept, restored), []);
    const other = temporaryFolder();
    await backup(kept, other);
    assert.equal((await run(restoreArgs(kept, other, restored))).code, 2);
  });

  test('days that are older than the retention stay in the backup, which is said, and all others come back', async () => {
    const { kept, folder } = await withOldDay();
    const back = await lines<Total & { rows_aged: number }>(restoreArgs(kept, folder, `${kept.name}_new`));
    const brief = back.filter(({ rows, rows_aged: aged }) => rows + aged > 0);
    assert.deepEqual(
      brief.map(({ table, rows, rows_aged: aged }) => [table, rows, aged]),
      [
        ['tcp_batches', 1, 1],
        ['tcp_events', 1, 2],
      ],
    );
    const restored = await kept.rows(`SELECT day, seq FROM ${kept.name}_new.tcp_events`);
    assert.deepEqual(restored, [{ day: TODAY, seq: 9 }]);
    const ended = await run(restoreArgs(kept, folder, `${kept.name}_text`));
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^tcp_events: 1 row; 2 rows of days that have aged stay in the backup$/m);
    assert.match(ended.stdout, /^3 rows of days older than the retention stay in the backup; --keep-all /m);
    assert.doesNotMatch(ended.stdout, /nothing of/);
  });

  test('of a month that has aged in half the days that have are told', async () => {
    const kept = await createKept();
    await kept.sql('ALTER TABLE {db}.tier_1h REMOVE TTL');
    // The first and the last day of the month in which the age of 13 months falls; either may be today's.
    const [limit] = await kept.rows<{ first: string; last: string; aged: number }>(
      `SELECT toStartOfMonth(today() - INTERVAL 13 MONTH) AS first, toLastDayOfMonth(first) AS last,
         toUInt8(first + INTERVAL 13 MONTH <= today()) + toUInt8(last + INTERVAL 13 MONTH <= today()) AS aged`,
    );
    assert.ok(limit);
    for (const day of [limit.first, limit.last])
      await kept.sql(
        `INSERT INTO {db}.tier_1h (day, bin, host_id) VALUES ('${day}', '${day} 00:00:00', 'h')`,
      );
    const folder = temporaryFolder();
    await backup(kept, folder);
    const back = await lines<Total & { rows_aged: number; rows_ageing: number }>(
      restoreArgs(kept, folder, `${kept.name}_month`),
    );
    const tier = back.find(({ table }) => table === 'tier_1h');
    assert.ok(tier);
    // A month that is over has aged whole, and stays in the backup.
    const expected = limit.aged === 2 ? [0, 2, 0] : [2, 0, limit.aged];
    assert.deepEqual([tier.rows, tier.rows_aged, tier.rows_ageing], expected);
  });

  test('without retention all days come back; migrate says so, and puts it back when it is told to', async () => {
    const { kept, folder } = await withOldDay();
    const old = `${kept.name}_old`;
    const at = ['--url', kept.url, '--database', old];
    const ended = await run([...restoreArgs(kept, folder, old), '--keep-all']);
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await differences(kept, old), []);
    const said = new RegExp(
      `^nothing of tcp_events, tcp_batches, tier_5m, .* ages away, as a TTL was taken off; 'tcptrail migrate --retention --database ${old}' puts it back, and rows past their age go then: with --plan it says how many$`,
      'm',
    );
    assert.match(ended.stdout, said);
    assert.match((await run(['migrate', ...at])).stdout, said);
    assert.deepEqual(await differences(kept, old), []);
    const going = /retention of tcp_events, day \+ INTERVAL 7 DAY \(older rows, which go: 2\)$/m;
    assert.match((await run(['migrate', '--retention', '--plan', ...at])).stdout, going);
    assert.deepEqual(await differences(kept, old), []);
    assert.match((await run(['migrate', '--retention', ...at])).stdout, going);
    await until('what is older to go', async () => {
      const left = await kept.rows(`SELECT day, seq FROM ${old}.tcp_events`);
      return isDeepStrictEqual(left, [{ day: TODAY, seq: 9 }]);
    });
    assert.match((await run(['migrate', ...at])).stdout, /^database \S+ at \S+ has everything\n$/);
  });

  test('what is stored while it runs is left out, both the batch and its events', async () => {
    const kept = await filled();
    // Events of a message whose batch is not there yet.
    await kept.sql(
      'INSERT INTO {db}.tcp_events SELECT * REPLACE (toUInt64(9) AS origin_offset) FROM {db}.tcp_events WHERE origin_offset = 3',
    );
    const folder = temporaryFolder();
    const totals = await backup(kept, folder);
    const of = (table: string) => totals.find((total) => total.table === table)?.rows;
    assert.deepEqual([of('tcp_events'), of('tcp_batches')], [6, 3]);
    assert.deepEqual(manifestOf(folder).stored_up_to, [
      { origin: 'spool:made', origin_partition: 0, last_offset: 3 },
    ]);
  });
});

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

test('a day of a million rows comes back in the memory of a small server', async () => {
  const kept = await createKept();
  await kept.put({ batch_seq: 1 }, [{ seq: 1 }]);
  await kept.sql(
    `INSERT INTO {db}.tcp_events SELECT events.* REPLACE (toUInt64(number + 2) AS seq) FROM {db}.tcp_events AS events CROSS JOIN numbers(1000000) AS copies SETTINGS min_insert_block_size_rows = 100000, min_insert_block_size_bytes = 0, max_block_size = 10000`,
  );
  const folder = temporaryFolder();
  const totals = await backup(kept, folder);
  assert.equal(totals.find(({ table }) => table === 'tcp_events')?.rows, 1_000_001);
  await lines(restoreArgs(kept, folder, `${kept.name}_large`));
});

test('after a restore a consumer stores what came since the backup, and nothing twice', async () => {
  const setup = setUpSpool(server);
  for (let index = 0; index < 3; index++) setup.spool.batch(10);
  await setup.once();
  const folder = temporaryFolder();
  const at = ['--url', server.url, '--database', setup.database];
  await lines(['backup', ...at, '--to', folder]);
  for (let index = 0; index < 3; index++) setup.spool.batch(10);
  await setup.once();
  await server.client.command({ query: `DROP DATABASE ${setup.database} SYNC` });
  await lines(['restore', ...at, '--from', folder]);
  assert.deepEqual(await counts(setup), { n: 30, u: 30, b: 3, ub: 3 });
  rmSync(join(setup.spool.path, 'cursor/clickhouse.json'));
  await setup.once();
  assert.deepEqual(await counts(setup), { n: 60, u: 60, b: 6, ub: 6 });
});
