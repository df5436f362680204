import assert from 'node:assert/strict';
import { once } from 'node:events';
import { delimiter } from 'node:path';
import { test } from 'node:test';
import { isAlive, nameOf } from '../src/process-name.ts';
import { createClient, runToEnd, startMain, temporaryFolder, withAdmin } from './running.ts';

const folder = temporaryFolder();
const kafka = await startMain(['--data', folder, '--port', '0', '--set', 'num.partitions=7']);

test('it answers where it says', async () => {
  const { brokers } = await withAdmin(createClient(kafka), (admin) => admin.describeCluster());
  assert.deepEqual(brokers, [{ nodeId: 1, host: '127.0.0.1', port: kafka.port }]);
  assert.match(kafka.version, /^4\.\d+\.\d+$/);
});

test('a property given with --set stands over the usual one', async () => {
  const partitions = await withAdmin(createClient(kafka), async (admin) => {
    await admin.createTopics({ topics: [{ topic: 't', numPartitions: -1, replicationFactor: -1 }] });
    return (await admin.fetchTopicMetadata({ topics: ['t'] })).topics[0]?.partitions.length;
  });
  assert.equal(partitions, 7);
});

test('a second one on the folder ends with one sentence and status 1', async () => {
  assert.deepEqual(await runToEnd(['--data', folder, '--port', '0']), {
    status: 1,
    said: `local-kafka: data folder ${folder} belongs to the local Kafka with pid ${kafka.main.pid}: stop it, or choose another --data folder\n`,
  });
});

test('a taken port ends with one sentence and status 1', async () => {
  assert.deepEqual(await runToEnd(['--data', temporaryFolder(), '--port', String(kafka.port)]), {
    status: 1,
    said: `local-kafka: port ${kafka.port} on 127.0.0.1 is taken: give another with --port, or 0 for a free one\n`,
  });
});

test('SIGTERM ends it with its java and status 0', async () => {
  const java = nameOf(kafka.pid);
  kafka.main.kill('SIGTERM');
  assert.deepEqual(await kafka.result, { status: 0, said: '' });
  assert.equal(isAlive(java), false);
});

test('it ends with status 1 when java dies, and says how', async () => {
  const { pid, result } = await startMain(['--data', temporaryFolder(), '--port', '0']);
  process.kill(pid, 'SIGKILL');
  assert.deepEqual(await result, {
    status: 1,
    said: 'local-kafka: java ended with SIGKILL: see what it wrote above, then start again\n',
  });
});

test('java is gone after kill -9 of its parent, and the folder and the port are free', async () => {
  const own = temporaryFolder();
  const first = await startMain(['--data', own, '--port', '0']);
  const java = nameOf(first.pid);
  first.main.kill('SIGKILL');
  // Not its output's end, which a java that lives on would keep open.
  await once(first.main, 'exit');
  const second = await startMain(['--data', own, '--port', String(first.port)]);
  assert.equal(isAlive(java), false);
  assert.equal(second.port, first.port);
});

test('a host without java ends with the remedy and status 3', async () => {
  const PATH = (process.env.PATH ?? '').split(delimiter).map((folder) => `${folder}/nowhere`);
  assert.deepEqual(await runToEnd(['--data', temporaryFolder()], { PATH: PATH.join(delimiter) }), {
    status: 3,
    said: 'local-kafka: java is missing: install Java 17 or newer, or run infra/deps.sh kafka\n',
  });
});

test('wrong usage ends with status 2 and one sentence', async () => {
  const { status, said } = await runToEnd(['--data', temporaryFolder(), '--nonsense']);
  assert.equal(status, 2);
  assert.match(said, /^local-kafka: Unknown option '--nonsense': give --data, .*\n$/);
});
