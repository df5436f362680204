import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { closeDaysAlone } from '../../consumer/src/keeping.ts';
import { until } from '../../test/harness/until.ts';
import { NOW_US, temporaryFolder } from '../../test/spool-writer.ts';
import { exportedColumns } from '../src/export/columns.ts';
import type { Manifest } from '../src/export/manifest.ts';
import { DAY_US, type Kept, lines, TODAY, useKeptDatabases, YESTERDAY } from './kept-database.ts';
import { isOneSentence, run, start } from './run-command.ts';

const createKept = useKeptDatabases();

interface Line {
  readonly table: string;
  readonly day: string;
  readonly file: string;
  readonly state: string;
  readonly rows: number;
  readonly rows_in_table: number;
}

/** Ten rows of yesterday, twenty of today. */
async function filled(): Promise<Kept> {
  const kept = await createKept();
  for (const seq of [1, 2, 3]) {
    const events = Array.from({ length: 10 }, (_, index) => ({
      seq: seq * 10 + index,
      local: { address: '10.0.0.1', port: 40_000 + index },
      peer: { address: index % 2 ? '2001:db8::7' : '10.0.0.2', port: 443 },
    }));
    await kept.put({ batch_seq: seq, batch_ts: seq === 1 ? NOW_US - DAY_US : NOW_US }, events);
  }
  return kept;
}

const args = (kept: Kept, folder: string, ...more: readonly string[]): readonly string[] => [
  ...['export', ...kept.at, '--to', folder, '--day', `${YESTERDAY}..${TODAY}`],
  ...more,
];

/** Rows of the file, put into a table of their own by ClickHouse; and what to read of either table. */
async function readBack(kept: Kept, table: string, file: string): Promise<{ copy: string; columns: string }> {
  const columns = await exportedColumns({ database: kept.name, rows: kept.clickhouse.query }, table);
  const copy = `back_${table}_${file.replaceAll(/\D/g, '')}`;
  const typed = columns.map(({ name, type }) => `\`${name}\` ${type}`);
  await kept.sql(`CREATE TABLE {db}.${copy} (${typed.join(', ')}) ENGINE = MergeTree ORDER BY tuple()`);
  const query = `INSERT INTO ${kept.name}.${copy} FORMAT Parquet`;
  const answer = await fetch(`${kept.url}/?query=${encodeURIComponent(query)}`, {
    method: 'POST',
    body: readFileSync(file),
  });
  assert.equal(answer.status, 200, await answer.text());
  return { copy, columns: columns.map(({ name }) => `\`${name}\``).join(', ') };
}

test('each day of each table is a Parquet file that ClickHouse reads back row by row', async () => {
  const kept = await filled();
  const folder = temporaryFolder();
  const written = await lines<Line>(args(kept, folder));
  assert.deepEqual(
    written.map(({ table, day, state, rows }) => [table, day, state, rows]),
    [
      ['tcp_events', YESTERDAY, 'written', 10],
      ['tcp_events', TODAY, 'written', 20],
      ['tcp_batches', YESTERDAY, 'written', 1],
      ['tcp_batches', TODAY, 'written', 2],
    ],
  );
  for (const { table, day, file } of written) {
    const { copy, columns } = await readBack(kept, table, file);
    assert.ok(!/_rest/.test(columns));
    const stored = `SELECT ${columns} FROM {db}.${table} WHERE day = '${day}'`;
    const differing = await kept.rows(
      `SELECT * FROM (${stored} EXCEPT SELECT ${columns} FROM {db}.${copy})
       UNION ALL (SELECT ${columns} FROM {db}.${copy} EXCEPT ${stored})`,
    );
    assert.deepEqual(differing, []);
    const manifest: Manifest = JSON.parse(readFileSync(file.replace('.parquet', '.json'), 'utf8'));
    const [is] = await kept.rows<{ n: number }>(`SELECT count() AS n FROM {db}.${copy}`);
    assert.equal(manifest.rows, is?.n);
    assert.equal(manifest.bytes, readFileSync(file).length);
    const [newest] = await kept.rows<{ n: number }>('SELECT max(number) AS n FROM {db}.migrations');
    assert.equal(manifest.migration, newest?.n);
  }
});

test('a day that is whole is not written again, one that has grown or was damaged is', async () => {
  const kept = await filled();
  const folder = temporaryFolder();
  const [first] = await lines<Line>(args(kept, folder));
  assert.ok(first);
  const states = async () => (await lines<Line>(args(kept, folder))).map(({ state, rows }) => [state, rows]);
  const before = readFileSync(first.file.replace('.parquet', '.json'), 'utf8');
  assert.deepEqual(await states(), [
    ['kept', 10],
    ['kept', 20],
    ['kept', 1],
    ['kept', 2],
  ]);
  assert.equal(readFileSync(first.file.replace('.parquet', '.json'), 'utf8'), before);
  await kept.put({ batch_seq: 4 }, [{ seq: 99 }]);
  const bytes = readFileSync(first.file);
  writeFileSync(first.file, bytes.fill(0, 100, 110));
  assert.deepEqual(await states(), [
    ['written', 10],
    ['written', 21],
    ['kept', 1],
    ['written', 3],
  ]);
});

test('sums of a tier that grew are written again, though in as many rows, and each version alone', async () => {
  const kept = await filled();
  const folder = temporaryFolder();
  const events = async (): Promise<unknown> => {
    const [line] = await lines<Line>([
      'export',
      ...kept.at,
      '--to',
      folder,
      '--day',
      YESTERDAY,
      '--table',
      'tier_1h',
    ]);
    assert.ok(line);
    const { copy } = await readBack(kept, 'tier_1h', line.file);
    const [sum] = await kept.rows<{ n: number }>(`SELECT sum(events) AS n FROM {db}.${copy}`);
    await kept.sql(`DROP TABLE {db}.${copy}`);
    return [line.state, line.rows, sum?.n];
  };
  const close = () => closeDaysAlone(kept.clickhouse, NOW_US / 1000 + DAY_US / 1000);
  await close();
  assert.deepEqual(await events(), ['written', 10, 10]);
  assert.deepEqual(await events(), ['kept', 10, 10]);
  await kept.put({ batch_seq: 4, batch_ts: NOW_US - DAY_US }, [
    { seq: 99, local: { address: '10.0.0.1', port: 40_000 }, peer: { address: '10.0.0.2', port: 443 } },
  ]);
  await close();
  // The version of before is there until the next run.
  assert.deepEqual(await events(), ['written', 10, 11]);
});

test('what aged away in the table stays in the export', async () => {
  const kept = await filled();
  const folder = temporaryFolder();
  await lines(args(kept, folder));
  await kept.sql(`ALTER TABLE {db}.tcp_events DROP PARTITION '${YESTERDAY}'`);
  const [aged] = await lines<Line>(args(kept, folder, '--table', 'tcp_events'));
  assert.deepEqual([aged?.state, aged?.rows, aged?.rows_in_table], ['kept', 10, 0]);
  const ended = await run(args(kept, folder, '--table', 'tcp_events'));
  assert.match(ended.stdout, /10 rows, [^ ]+ KiB were in .*; the table holds 0 of them by now\n/);
});

test('rows of a message whose batch is not stored yet are left out', async () => {
  const kept = await filled();
  await kept.sql(
    'INSERT INTO {db}.tcp_events SELECT * REPLACE (toUInt64(7) AS origin_offset) FROM {db}.tcp_events WHERE origin_offset = 3',
  );
  const written = await lines<Line>(args(kept, temporaryFolder(), '--table', 'tcp_events'));
  assert.deepEqual(
    written.map(({ rows }) => rows),
    [10, 20],
  );
});

test('rows of some hosts go to a folder of their own', async () => {
  const kept = await filled();
  const folder = temporaryFolder();
  const [none] = await lines<Line>(args(kept, folder, '--host', 'another'));
  assert.deepEqual([none?.state, none?.rows], ['empty', 0]);
  const [all] = await lines<Line>(args(kept, folder, '--host', 'host-a'));
  assert.deepEqual([all?.state, all?.rows], ['written', 10]);
  const mixed = await run(args(kept, folder));
  assert.equal(mixed.code, 2);
  assert.ok(isOneSentence(mixed.stderr), mixed.stderr);
  assert.match(mixed.stderr, /is of an export with other filters/);
});

/** A proxy before ClickHouse that sends half of the Parquet, then waits, or breaks off. */
async function halfway(kept: Kept, then: 'waits' | 'breaks off') {
  const reached = Promise.withResolvers<void>();
  const proxy = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const answer = await fetch(`${kept.url}${request.url}`, { method: 'POST', body });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (!body.includes('FORMAT Parquet')) {
      response.writeHead(answer.status).end(bytes);
      return;
    }
    const half = bytes.subarray(0, bytes.length >> 1);
    response.writeHead(200);
    if (then === 'breaks off') response.end(half);
    else response.write(half);
    reached.resolve();
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  const { port } = proxy.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    reached: reached.promise,
    [Symbol.dispose]() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

test('Ctrl-C amid a file leaves none', async () => {
  const kept = await filled();
  const folder = temporaryFolder();
  using proxy = await halfway(kept, 'waits');
  const running = start([...args(kept, folder), '--url', proxy.url, '--user', 'default']);
  await proxy.reached;
  const temporary = join(folder, 'tcp_events', `.${YESTERDAY}.parquet.tmp`);
  await until('the half is on the disk', () => existsSync(temporary) && readFileSync(temporary).length > 0);
  running.child.kill('SIGINT');
  const ended = await running.ended;
  assert.equal(ended.code, 130, ended.stderr);
  assert.deepEqual(readdirSync(join(folder, 'tcp_events')), []);
});

test('an answer that breaks off is no file, and a killed process leaves nothing that counts', async () => {
  const kept = await filled();
  const folder = temporaryFolder();
  {
    using proxy = await halfway(kept, 'breaks off');
    const ended = await run([...args(kept, folder), '--url', proxy.url, '--user', 'default']);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /the answer broke off/);
    assert.deepEqual(readdirSync(join(folder, 'tcp_events')), []);
  }
  using proxy = await halfway(kept, 'waits');
  const running = start([...args(kept, folder), '--url', proxy.url, '--user', 'default']);
  await proxy.reached;
  running.child.kill('SIGKILL');
  await running.ended;
  const written = await lines<Line>(args(kept, folder));
  assert.ok(written.every(({ state }) => state === 'written'));
  assert.deepEqual(readdirSync(join(folder, 'tcp_events')).toSorted(), [
    `${YESTERDAY}.json`,
    `${YESTERDAY}.parquet`,
    `${TODAY}.json`,
    `${TODAY}.parquet`,
  ]);
});

test('a table without days is refused in one sentence', async () => {
  const kept = await createKept();
  const ended = await run(args(kept, temporaryFolder(), '--table', 'nothing'));
  assert.equal(ended.code, 2);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  const wrong = await run(['export', ...kept.at, '--to', temporaryFolder(), '--day', '2026-02-30']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /give a day such as 2026-11-28/);
});
