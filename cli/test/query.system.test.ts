import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { isOneSentence, type RunOptions, run, start, TCPTRAIL } from './run-command.ts';
import { createStoredEvents, migrated, type StoredEvents } from './stored-events.ts';

let stored: StoredEvents;
before(async () => {
  stored = await createStoredEvents();
});
after(() => stored?.stop());

const query = (sql: string, args: readonly string[] = [], options: RunOptions = {}) =>
  run(['query', '--url', stored.url, ...args, sql], options);

test('before anything was stored, one sentence says so', async () => {
  const ended = await query('SELECT 1');
  assert.equal(ended.code, 1);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  assert.match(ended.stderr, /no tcptrail tables in database tcptrail; start 'tcptrail up'/);
});

test('the answer is an aligned table without colours where there is no terminal', async () => {
  await migrated(stored);
  const ended = await query(
    "SELECT * FROM VALUES('a String, ip IPv6, n UInt64', ('x', '::ffff:10.0.0.1', 18446744073709551615), ('yy', '::1', 2))",
  );
  assert.deepEqual(ended, {
    code: 0,
    signal: null,
    stderr: '',
    stdout: `a   ip                           n
──  ────────  ────────────────────
x   10.0.0.1  18446744073709551615
yy  ::1                          2
`,
  });
});

test('--json prints one object a line with the column names and the stored form of addresses', async () => {
  const ended = await query("SELECT number AS n, toIPv6('::ffff:10.0.0.1') AS ip FROM numbers(2)", [
    '--json',
  ]);
  assert.equal(ended.stdout, '{"n":0,"ip":"::ffff:10.0.0.1"}\n{"n":1,"ip":"::ffff:10.0.0.1"}\n');
});

test('* is every column of an event, what is computed as well', async () => {
  await stored.store(1, [{ ts: '2026-01-02 03:04:05.000006', start_ts: '2026-01-02 03:04:04.000006' }]);
  const { stdout } = await query('SELECT * FROM tcp_events', ['--json']);
  const row = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(row['start_ts'], '2026-01-02 03:04:04.000006');
  assert.equal(row['start_ts_rest'], -1_000_000);
  assert.equal(row['sensor'], 'tcptrail');
});

test('--csv prints bytes as they are stored', async () => {
  const url = ['--url', stored.url];
  const { stdout } = await promisify(execFile)(
    TCPTRAIL,
    ['query', '--csv', ...url, "SELECT unhex('61FF80C3A4') AS a"],
    { encoding: 'buffer' },
  );
  assert.equal(stdout.toString('hex'), Buffer.from('"a"\n"a\xff\x80\xc3\xa4"\n', 'latin1').toString('hex'));
});

test('--csv prints a head and quotes what needs it', async () => {
  const ended = await query("SELECT 1 AS a, 'q,\"' AS b", ['--csv']);
  assert.equal(ended.stdout, '"a","b"\n1,"q,"""\n');
});

test('a FORMAT in the SQL is honoured byte for byte', async () => {
  const ended = await query("SELECT 'a\\0b' FORMAT RawBLOB");
  assert.equal(ended.stdout, 'a\0b');
});

test('- reads the SQL from standard input', async () => {
  const ended = await query('-', ['--json'], { input: 'SELECT 5 AS five\n' });
  assert.equal(ended.stdout, '{"five":5}\n');
});

test('an empty answer says 0 rows on stderr, in each form', async () => {
  for (const args of [[], ['--json']]) {
    const ended = await query('SELECT number FROM numbers(0)', args);
    assert.equal(ended.code, 0);
    assert.equal(ended.stderr, '0 rows\n');
  }
});

test('an error of ClickHouse is one sentence with its code', async () => {
  const ended = await query('SELECT nope FROM tcp_events');
  assert.equal(ended.code, 1);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  assert.match(ended.stderr, /nope.*\(ClickHouse code 47\)/);
  assert.doesNotMatch(ended.stderr, /DB::Exception|version/);
});

test('an error in the middle of a large answer is an error, not an end', async () => {
  const ended = await query('SELECT number, throwIf(number = 3000000) FROM numbers(4000000)', ['--json']);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /^tcptrail: .*throwIf/);
});

test('the default user may only read', async () => {
  const ended = await query('CREATE TABLE x (a UInt8) ENGINE = Memory');
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /user reader may only read.*--user default/);
  assert.equal((await query('CREATE TABLE x (a UInt8) ENGINE = Memory', ['--user', 'default'])).code, 0);
});

test('an unknown user is one sentence with the remedy', async () => {
  const ended = await query('SELECT 1', ['--user', 'bob']);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /refuses user bob; give the right --user and --password-file/);
});

test('a large answer streams: rows come out while the reader goes away, without a complaint', async () => {
  const running = start(['query', '--url', stored.url, 'SELECT number FROM numbers(20000000)']);
  await new Promise((first) => running.child.stdout?.once('data', first));
  running.child.stdout?.destroy();
  const ended = await running.ended;
  assert.equal(ended.stderr, '');
  assert.equal(ended.code, 0);
});

test('a password is asked for and taken out of a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-password-'));
  const right = join(folder, 'right');
  const wrong = join(folder, 'wrong');
  writeFileSync(right, 'secret\n');
  writeFileSync(wrong, 'guess\n');
  const closed = await createStoredEvents(['--password-file', right]);
  try {
    const ask = (...args: readonly string[]) =>
      run(['query', '--url', closed.url, '--database', 'default', '--json', ...args, 'SELECT 1 AS a']);
    assert.equal((await ask('--password-file', right)).stdout, '{"a":1}\n');
    for (const args of [[], ['--password-file', wrong]]) {
      const ended = await ask(...args);
      assert.equal(ended.code, 1);
      assert.match(ended.stderr, /refuses user default; give the right --user and --password-file/);
    }
  } finally {
    await closed.stop();
    rmSync(folder, { recursive: true });
  }
});
