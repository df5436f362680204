import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../test/harness/server.ts';
import { type SpoolSetup, setUpSpool } from '../../test/harness/spool-consumer.ts';
import { HOST } from '../../test/spool-writer.ts';
import { run } from './run-command.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

/** Three batches of ten events of one user, stored. */
async function stored(): Promise<SpoolSetup> {
  const setup = setUpSpool(server);
  for (let index = 0; index < 3; index++) setup.spool.batch(10);
  await setup.once();
  return setup;
}

const command = async (setup: SpoolSetup, ...args: readonly string[]) => {
  const ended = await run([...args, '--config', setup.file]);
  return { code: ended.code, stdout: ended.stdout, stderr: ended.stderr };
};

/** As when a consumer was killed before it moved its cursor, or its group is set back. */
async function readAgain(setup: SpoolSetup): Promise<void> {
  rmSync(join(setup.spool.path, 'cursor'), { recursive: true });
  await setup.once();
}

const rowsOf = async (setup: SpoolSetup): Promise<unknown> =>
  (
    await setup.rows(
      'SELECT (SELECT count() FROM {db}.tcp_events) AS events, (SELECT count() FROM {db}.tcp_batches) AS batches',
    )
  )[0];

test('what is read again after a forget stores nothing of it again, and verify finds nothing wrong', async () => {
  const setup = await stored();
  // Some rows of one message.
  await server.client.command({
    query: `ALTER TABLE ${setup.database}.tcp_events UPDATE uid = 7 WHERE seq IN (12, 13) SETTINGS mutations_sync = 2`,
  });
  const done = await command(setup, 'forget', '--uid', '7', '--yes');
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(await rowsOf(setup), { events: 28, batches: 3 });
  const { code, stdout, stderr } = await command(setup, 'verify');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /nothing is wrong\n$/);
  await readAgain(setup);
  assert.deepEqual(await rowsOf(setup), { events: 28, batches: 3 });
  assert.equal((await command(setup, 'verify')).code, 0);
});

test('a host that was forgotten does not come back, and goes on with what it does next', async () => {
  const setup = await stored();
  const done = await command(setup, 'forget', '--host', HOST, '--yes');
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(await rowsOf(setup), { events: 0, batches: 0 });
  await readAgain(setup);
  assert.deepEqual(await rowsOf(setup), { events: 0, batches: 0 });
  setup.spool.batch(10);
  await setup.once();
  assert.deepEqual(await rowsOf(setup), { events: 10, batches: 1 });
  const { code, stdout, stderr } = await command(setup, 'verify');
  assert.equal(code, 0, stdout + stderr);
});
