import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { createDatabase, type TestDatabase } from '../database.ts';
import { send } from './sent.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const [LISTEN, UNLISTEN, LISTENER] = [8, 9, 10];

async function statesOf(database: TestDatabase): Promise<Record<string, string>> {
  const rows = await database.rows<{ socket_cookie: string; state: string }>(
    'SELECT socket_cookie, state FROM {db}.listeners ORDER BY socket_cookie',
  );
  return Object.fromEntries(rows.map(({ socket_cookie, state }) => [socket_cookie, state]));
}

test('a listener listens until its end was told', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await send(database, [
    {
      run: 1,
      at: 10,
      events: [
        { cookie: 10, kind: LISTEN },
        { cookie: 11, kind: LISTEN },
        { cookie: 11, kind: UNLISTEN },
      ],
    },
    { run: 1, at: 20, told: true },
  ]);
  assert.deepEqual(await statesOf(database), { 10: 'listening', 11: 'closed' });
});

test('a socket that listens again after it stopped listens', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await send(database, [
    { run: 1, at: 10, events: [{ cookie: 10, kind: LISTEN }] },
    { run: 1, at: 11, events: [{ cookie: 10, kind: UNLISTEN }] },
    { run: 1, at: 12, told: true, events: [{ cookie: 10, kind: LISTEN }] },
  ]);
  assert.deepEqual(await statesOf(database), { 10: 'listening' });
});

test('a listener that a later run did not find has vanished, once that run has told all that was older', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await send(database, [
    {
      run: 1,
      at: 10,
      events: [
        { cookie: 10, kind: LISTEN },
        { cookie: 11, kind: LISTEN },
      ],
    },
    { run: 1, at: 20 },
    { run: 30, at: 31, events: [{ cookie: 11, kind: LISTENER }] },
  ]);
  assert.deepEqual(await statesOf(database), { 10: 'listening', 11: 'listening' });
  await send(database, [{ run: 30, at: 50, told: true }]);
  assert.deepEqual(await statesOf(database), { 10: 'vanished', 11: 'listening' });
});

test('all listeners of an older boot have vanished', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  await send(database, [
    { run: 1, at: 10, told: true, events: [{ cookie: 10, kind: LISTEN }] },
    { run: 20, at: 21, boot: 'boot-2', events: [{ cookie: 11, kind: LISTEN }] },
    { run: 20, at: 22, host: 'host-b', events: [{ cookie: 12, kind: LISTEN }] },
  ]);
  assert.deepEqual(await statesOf(database), { 10: 'vanished', 11: 'listening', 12: 'listening' });
});
