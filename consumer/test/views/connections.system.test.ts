import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { NOW_US } from '../../../test/spool-writer.ts';
import { createDatabase, type TestDatabase } from '../database.ts';
import { BEGAN_US, type Sent, send } from './sent.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const [OPEN, FAIL, UPDATE, CLOSE, RETRANSMIT, RESET] = [1, 2, 3, 4, 5, 6];
const [CLOSED, NEW_SYN_RECEIVED] = [7, 12];
const SENT = 1;

test('a connection is one row, whatever events told of it, each generation its own', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await database.put({ agent_epoch: NOW_US, batch_seq: 1 }, [
    { seq: 1, kind: OPEN, cookie: 10 },
    { seq: 2, kind: CLOSE, cookie: 10, verdict: 2 },
    { seq: 3, kind: OPEN, cookie: 11 },
    { seq: 4, kind: FAIL, cookie: 12, verdict: 7 },
    { seq: 5, kind: FAIL, cookie: 12, generation: 1, verdict: 7 },
  ]);
  const rows = await database.rows(
    'SELECT socket_cookie, generation, state, verdict FROM {db}.connections ORDER BY socket_cookie, generation',
  );
  assert.deepEqual(rows, [
    { socket_cookie: 10, generation: 0, state: 'closed', verdict: 'closed_peer' },
    { socket_cookie: 11, generation: 0, state: 'live', verdict: 'unknown' },
    { socket_cookie: 12, generation: 0, state: 'failed', verdict: 'refused' },
    { socket_cookie: 12, generation: 1, state: 'failed', verdict: 'refused' },
  ]);
  const [failures] = await database.rows<{ n: number }>('SELECT sum(connections) AS n FROM {db}.failures');
  assert.equal(failures?.n, 2);
  const hosts = await database.rows('SELECT host_id, agent_runs, silent FROM {db}.hosts');
  assert.equal(hosts.length, 1);
});

test('a handshake whose SYN-ACK was sent again is no connection', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await database.put({ agent_epoch: NOW_US, batch_seq: 1 }, [
    { seq: 1, kind: RETRANSMIT, cookie: 10, state: NEW_SYN_RECEIVED },
    { seq: 2, kind: RETRANSMIT, cookie: 11 },
  ]);
  const rows = await database.rows('SELECT socket_cookie, state FROM {db}.connections');
  assert.deepEqual(rows, [{ socket_cookie: 11, state: 'live' }]);
});

test('a failure is a closed port where a SYN was answered, and not sent where there was none', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await database.put({ agent_epoch: NOW_US, batch_seq: 1 }, [
    { seq: 1, kind: RESET, cookie: 0, resetDirection: SENT, state: CLOSED },
    // To a segment of no connection, and of a connection that was there.
    { seq: 2, kind: RESET, cookie: 0, resetDirection: SENT },
    { seq: 3, kind: RESET, cookie: 10, resetDirection: SENT, state: CLOSED },
    { seq: 4, kind: FAIL, cookie: 11 },
  ]);
  const rows = await database.rows('SELECT reason, socket_cookie FROM {db}.failures ORDER BY reason');
  assert.deepEqual(rows, [
    { reason: 'closed_port', socket_cookie: 0 },
    { reason: 'not_sent', socket_cookie: 11 },
  ]);
});

/** State and doubts of each connection, by cookie and generation. */
async function statesOf(database: TestDatabase): Promise<Record<string, string>> {
  const rows = await database.rows<{ key: string; value: string }>(`
    SELECT concat(toString(socket_cookie), if(generation = 0, '', concat('/', toString(generation)))) AS key,
        arrayStringConcat(arrayConcat([state], arrayFilter(doubt -> doubt IN ('agent_restarted', 'agent_silent', 'host_rebooted'), doubts)), ' ') AS value
    FROM {db}.connections ORDER BY key`);
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

const RESTARTED: readonly Sent[] = [
  { run: 1, at: 10, events: [{ cookie: 10 }, { cookie: 11 }, { cookie: 12 }, { cookie: 13 }] },
  { run: 1, at: 20 },
  { run: 30, at: 31, events: [{ cookie: 11, kind: UPDATE }, { cookie: 12, kind: CLOSE }, { cookie: 14 }] },
];

test('a connection that a later run did not find has vanished, once that run has told all that was older', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await send(database, [...RESTARTED, { run: 30, at: 40 }]);
  const others = { 11: 'live', 12: 'closed', 14: 'live' };
  const doubtful = 'live agent_restarted';
  assert.deepEqual(await statesOf(database), { ...others, 10: doubtful, 13: doubtful });
  await send(database, [{ run: 30, at: 50, told: true }]);
  const vanished = 'vanished agent_restarted';
  assert.deepEqual(await statesOf(database), { ...others, 10: vanished, 13: vanished });
  const [row] = await database.rows(
    'SELECT toUnixTimestamp64Micro(vouched_ts) AS until, ended_ts = 0 AS endless FROM {db}.connections WHERE socket_cookie = 10',
  );
  assert.deepEqual(row, { until: BEGAN_US + 20_000_000, endless: 1 });
  // A run that was killed before it had looked takes nothing back, and adds nothing.
  await send(database, [{ run: 60, at: 61 }]);
  assert.deepEqual(await statesOf(database), {
    11: doubtful,
    12: 'closed',
    14: doubtful,
    10: vanished,
    13: vanished,
  });
});

test('rows of an older run that come late are judged by the runs since', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  const [, , newer] = RESTARTED;
  if (newer) await send(database, [newer, { run: 30, at: 50, told: true }]);
  assert.deepEqual(await statesOf(database), { 11: 'live', 12: 'closed', 14: 'live' });
  await send(database, RESTARTED.slice(0, 2));
  const vanished = 'vanished agent_restarted';
  assert.deepEqual(await statesOf(database), {
    10: vanished,
    11: 'live',
    12: 'closed',
    13: vanished,
    14: 'live',
  });
});

test('an agent beside another one says nothing about what that one told', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await send(database, [
    { run: 1, at: 10, events: [{ cookie: 10 }] },
    { run: 15, at: 20, told: true, events: [{ cookie: 11 }] },
    { run: 1, at: 30 },
    { run: 15, at: 40, told: true },
  ]);
  assert.deepEqual(await statesOf(database), { 10: 'live', 11: 'live' });
  // The first is gone for good; a third, of another host, looks at other connections.
  await send(database, [{ run: 50, at: 60, told: true, host: 'host-b' }]);
  assert.deepEqual(await statesOf(database), { 10: 'live', 11: 'live' });
  await send(database, [{ run: 15, at: 61, told: true }]);
  assert.deepEqual(await statesOf(database), { 10: 'live agent_silent', 11: 'live' });
  await send(database, [{ run: 70, at: 80, told: true }]);
  assert.deepEqual(await statesOf(database), {
    10: 'vanished agent_restarted',
    11: 'vanished agent_restarted',
  });
});

test('the closing account of a killed run, written by the next, does not vouch for its connections', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await send(database, [...RESTARTED.slice(0, 2), { run: 30, at: 50, told: true }]);
  await database.put(
    {
      boot_id: 'boot-1',
      agent_epoch: BEGAN_US + 30_000_000,
      kernel_epoch: BEGAN_US + 1_000_000,
      batch_seq: 60,
      batch_ts: BEGAN_US + 60_000_000,
      health: null,
    },
    [],
  );
  assert.equal((await statesOf(database))[10], 'vanished agent_restarted');
});

test('the third connection of a socket, found by an upgraded agent as its first, is live once', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await send(database, [
    { run: 1, at: 10, events: [{ cookie: 10, generation: 3 }] },
    { run: 20, at: 30, told: true, events: [{ cookie: 10, generation: 1, kind: UPDATE }] },
  ]);
  assert.deepEqual(await statesOf(database), { '10/1': 'live', '10/3': 'vanished agent_restarted' });
});

test('all of an older boot has vanished, and an agent of the new one need not have looked', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await send(database, [
    { run: 1, at: 10, told: true, events: [{ cookie: 10 }] },
    { run: 20, at: 21, boot: 'boot-2', events: [{ cookie: 11 }] },
  ]);
  assert.deepEqual(await statesOf(database), { 10: 'vanished host_rebooted', 11: 'live' });
});

test('a connection that only sends again is as live as the run that says so', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await send(database, [
    {
      run: 1,
      at: 10,
      events: [
        { cookie: 10, kind: RETRANSMIT },
        { cookie: 11, kind: RETRANSMIT },
      ],
    },
    { run: 20, at: 30, told: true, events: [{ cookie: 11, kind: UPDATE }] },
  ]);
  assert.deepEqual(await statesOf(database), { 10: 'vanished agent_restarted', 11: 'live' });
});

test('300,000 events are asked within 300 MB', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await database.put({ agent_epoch: NOW_US, batch_seq: 1 }, [{ seq: 1, kind: OPEN, cookie: 1 }]);
  await database.rows(`
    INSERT INTO {db}.tcp_events (day, host_id, boot_id, kind, ts, seq, socket_cookie, peer_port, comm, bytes_sent, connections, pid)
    SELECT today(), 'h', 'b', if(number % 2 = 0, 'open', 'close'), now64(6) - number / 1000, number, 1000 + intDiv(number, 2),
        443 + number % 3, 'curl', number, number % 2, 42
    FROM numbers(300000)`);
  const within = ' SETTINGS max_memory_usage = 300000000';
  const first = await database.rows(`SELECT * FROM {db}.connections LIMIT 10${within}`);
  assert.equal(first.length, 10);
  const some = await database.rows(`SELECT * FROM {db}.connections WHERE peer_port = 443 LIMIT 3${within}`);
  assert.equal(some.length, 3);
  const [total] = await database.rows<{ n: number }>(
    `SELECT sum(connections) AS n FROM {db}.connections WHERE comm = 'curl'${within}`,
  );
  assert.equal(total?.n, 150_001, 'each ended one, and the live one');
});
