import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { isOneSentence, type Running, run, start } from './run-command.ts';
import { createStoredEvents, migrated, type StoredEvents } from './stored-events.ts';
import { until } from './until.ts';

const close = {
  kind: 'close',
  role: 'client',
  family: 'ipv4',
  local_address: '::ffff:10.0.0.1',
  local_port: 50_000,
  peer_address: '::ffff:10.9.0.1',
  peer_port: 443,
  pid: 42,
  comm: 'curl',
  executable: '/usr/bin/curl',
  verdict: 'closed_local',
  bytes_sent: 100,
  bytes_received: 2_048,
  duration_us: 1_500,
  connections: 1,
};

let stored: StoredEvents;
let offset = 0;
const running: Running[] = [];
before(async () => {
  stored = await createStoredEvents();
});
afterEach(async () => {
  for (const each of running.splice(0)) {
    each.child.kill('SIGTERM');
    await each.ended;
  }
});
after(() => stored?.stop());

const store = (...events: readonly object[]): Promise<void> => stored.store(++offset, events);
const ports = (text: string): readonly number[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { local_port: number }).local_port);

/** Starts it; what is stored from then on must come. */
async function follow(...args: readonly string[]): Promise<Running> {
  await store({ ...close, local_port: 1 });
  const tail = start(['tail', '--url', stored.url, '--json', '-n', '1', ...args]);
  running.push(tail);
  await until('the newest stored event', () => tail.stdout() !== '');
  return tail;
}

async function newest(...args: readonly string[]): Promise<readonly number[]> {
  const ended = await run(['tail', '--url', stored.url, '--no-follow', '--json', '-n', '100', ...args]);
  assert.equal(ended.code, 0, ended.stderr);
  return ports(ended.stdout);
}

test('before anything was stored, one sentence says so', async () => {
  const ended = await run(['tail', '--url', stored.url]);
  assert.equal(ended.code, 1);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  assert.match(ended.stderr, /no tcptrail tables/);
  await migrated(stored);
});

test('filters narrow each other, values of one are alternatives', async () => {
  await store(
    { ...close, local_port: 50_001 },
    { ...close, local_port: 50_002, peer_port: 80, comm: 'wget', executable: '/usr/bin/wget' },
    { ...close, local_port: 50_003, kind: 'fail', verdict: 'refused', errno: 111, peer_address: '::1' },
    { ...close, local_port: 50_004, kind: 'open', verdict: 'unknown' },
    { ...close, local_port: 50_005, own: true },
    { ...close, local_port: 50_006, host_name: 'other-host' },
  );
  assert.deepEqual(await newest(), [50_001, 50_002, 50_003, 50_006]);
  assert.deepEqual(await newest('--own'), [50_001, 50_002, 50_003, 50_005, 50_006]);
  assert.deepEqual(await newest('--kind', 'fail,open'), [50_003, 50_004]);
  assert.deepEqual(await newest('--port', '80'), [50_002]);
  assert.deepEqual(await newest('--port', '50001,80'), [50_001, 50_002]);
  assert.deepEqual(await newest('--peer', '10.0.0.0/8', '--port', '443'), [50_001, 50_006]);
  assert.deepEqual(await newest('--peer', '::1'), [50_003]);
  assert.deepEqual(await newest('--process', 'wget'), [50_002]);
  assert.deepEqual(await newest('--process', '/usr/bin/wget'), [50_002]);
  assert.deepEqual(await newest('--verdict', 'refused'), [50_003]);
  assert.deepEqual(await newest('--host', 'other-host'), [50_006]);
  assert.deepEqual(await newest('--process', "x' OR 1=1 --"), []);
});

test('-n gives the newest, oldest of them first', async () => {
  const ended = await run(['tail', '--url', stored.url, '--no-follow', '--json', '-n', '2']);
  assert.deepEqual(ports(ended.stdout), [50_003, 50_006]);
});

test('a line without a terminal has no colours and no head', async () => {
  const ended = await run(['tail', '--url', stored.url, '--no-follow', '-n', '1'], { env: { TZ: 'UTC' } });
  assert.match(
    ended.stdout,
    /^\d\d:\d\d:\d\d\.\d{3} {2}closed_local {4}curl\[42\] +10\.0\.0\.1:50006 → 10\.9\.0\.1:443 +↑ +100 B {2}↓ 2\.00 KiB {4}1\.50 ms\n$/,
  );
});

test('each event that comes is printed once, in the order of batches', async () => {
  const tail = await follow();
  for (let n = 0; n < 20; n++) await store({ ...close, local_port: 51_000 + n });
  await until('the last event', () => ports(tail.stdout()).includes(51_019));
  const seen = ports(tail.stdout()).filter((port) => port >= 51_000);
  assert.deepEqual(
    seen,
    Array.from({ length: 20 }, (_none, n) => 51_000 + n),
  );
});

test('events are held until their batch is stored, and then none is missing', async () => {
  const tail = await follow();
  // The consumer was here: events stored, the row of their batch not yet.
  const held = ++offset;
  const now = new Date().toISOString().replace('T', ' ').replace('Z', '');
  const row = {
    ...close,
    local_port: 52_000,
    day: now.slice(0, 10),
    ts: now,
    origin: 'spool:test-host:1700000000000000',
  };
  await stored.execute(
    `INSERT INTO tcptrail.tcp_events FORMAT JSONEachRow\n${JSON.stringify({ ...row, origin_offset: held })}`,
  );
  // Another host's batch that is printed proves that the feed has looked since.
  await stored.store(0, [{ ...close, local_port: 52_001 }], 'spool:another-host:1700000000000000');
  await until('the batch of the other host', () => ports(tail.stdout()).includes(52_001));
  assert.deepEqual(
    ports(tail.stdout()).filter((port) => port === 52_000),
    [],
  );
  await stored.store(held, []);
  await until('the held event', () => ports(tail.stdout()).includes(52_000));
});

test('Ctrl-C ends it with exit code 0 and nothing on stderr', async () => {
  const tail = await follow();
  tail.child.kill('SIGINT');
  const ended = await tail.ended;
  assert.equal(ended.code, 0);
  assert.equal(ended.stderr, '');
});
