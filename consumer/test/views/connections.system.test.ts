import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { createDatabase } from '../database.ts';
import { NOW_US } from '../spool-writer.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const [OPEN, FAIL, CLOSE] = [1, 2, 4];

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
    'SELECT socket_cookie, generation, state, verdict, events FROM {db}.connections ORDER BY socket_cookie, generation',
  );
  assert.deepEqual(rows, [
    { socket_cookie: 10, generation: 0, state: 'closed', verdict: 'closed_peer', events: 2 },
    { socket_cookie: 11, generation: 0, state: 'live', verdict: 'unknown', events: 1 },
    { socket_cookie: 12, generation: 0, state: 'failed', verdict: 'refused', events: 1 },
    { socket_cookie: 12, generation: 1, state: 'failed', verdict: 'refused', events: 1 },
  ]);
  const [failures] = await database.rows<{ n: number }>('SELECT sum(connections) AS n FROM {db}.failures');
  assert.equal(failures?.n, 2);
  const hosts = await database.rows('SELECT host_id, agent_runs, silent FROM {db}.hosts');
  assert.equal(hosts.length, 1);
});
