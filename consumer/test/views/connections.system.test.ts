import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { NOW_US } from '../../../test/spool-writer.ts';
import { createDatabase } from '../database.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const [OPEN, FAIL, CLOSE, RETRANSMIT, RESET] = [1, 2, 4, 5, 6];
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
