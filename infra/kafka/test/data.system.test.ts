import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kafka } from 'kafkajs';
import { createClient, startMain, temporaryFolder, withAdmin } from './running.ts';

const MESSAGES = 500;

async function produce(kafka: Kafka, topic: string): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: MESSAGES }, (_, number) => ({ value: String(number) }));
  await producer.send({ topic, messages, acks: -1 });
  await producer.disconnect();
}

/** Values of the topic's first `MESSAGES` messages. */
async function consume(kafka: Kafka, topic: string): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: 'g', sessionTimeout: 6_000 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  const all = Promise.withResolvers<void>();
  consumer.on('consumer.crash', ({ payload }) => all.reject(payload.error));
  await consumer.run({
    eachMessage: async ({ message }) => {
      values.push(String(message.value));
      if (values.length === MESSAGES) all.resolve();
    },
  });
  await all.promise;
  await consumer.disconnect();
  return values;
}

test('acknowledged messages survive kill -9 of java and a clean stop, on the same port', async () => {
  const folder = temporaryFolder();
  const first = await startMain(['--data', folder, '--port', '0']);
  await withAdmin(createClient(first), (admin) =>
    admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }] }),
  );
  await produce(createClient(first, { retry: {} }), 'kept');
  process.kill(first.pid, 'SIGKILL');
  await first.result;

  const again = ['--data', folder, '--port', String(first.port)];
  const second = await startMain(again);
  assert.equal(second.port, first.port);
  second.main.kill('SIGTERM');
  await second.result;

  const third = await startMain(again);
  const expected = Array.from({ length: MESSAGES }, (_, number) => String(number));
  assert.deepEqual(await consume(createClient(third, { retry: {} }), 'kept'), expected);
});
