import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { suite, test } from 'node:test';
import { frame } from '@tcptrail/schemas/single-object.ts';
import kafkajs from 'kafkajs';
import { type KafkaSetup, useKafkaAndStore } from '../../test/harness/kafka-consumer.ts';
import { batch, ROWS } from '../../test/harness/numbered-batch.ts';
import type { Part } from '../../test/harness/process.ts';
import { holding, startProxy } from '../../test/harness/proxy.ts';
import { setUpSpool } from '../../test/harness/spool-consumer.ts';
import { until } from '../../test/harness/until.ts';

const kafka = useKafkaAndStore();

const framed = (batchSeq: number): Buffer => frame(batch(batchSeq));

async function ask(consumer: Part, path: string): Promise<{ status: number; text: string }> {
  const url = await until('its port', () => /http:\/\/127\.0\.0\.1:\d+/.exec(consumer.output())?.[0]);
  const answer = await fetch(`${url}${path}`);
  return { status: answer.status, text: await answer.text() };
}

async function metric(consumer: Part, name: string): Promise<number> {
  const { text } = await ask(consumer, '/metrics');
  return Number(new RegExp(`^tcptrail_consumer_${name}(?:{.*})? (.*)$`, 'm').exec(text)?.[1]);
}

/** A consumer of three messages whose first INSERT into `table` is held. */
async function held(table: string, env: NodeJS.ProcessEnv = {}) {
  const setup = await kafka.setUp();
  const proxy = await startProxy(kafka.server.url, holding(`INSERT INTO ${setup.database}.${table}`));
  const consumer = setup.start([], {
    TCPTRAIL_CLICKHOUSE_URL: proxy.url,
    TCPTRAIL_CLICKHOUSE_REQUEST_WAIT_MS_MAX: '120000',
    ...env,
  });
  await setup.send(framed(1), framed(2), framed(3));
  await proxy.held;
  return { setup, proxy, consumer };
}

async function storedOnce(setup: KafkaSetup): Promise<void> {
  await setup.once();
  assert.deepEqual(await setup.counts(), { n: 3 * ROWS, u: 3 * ROWS, b: 3 });
}

suite('each with a topic and a database of its own', { concurrency: 3 }, () => {
  test('while ClickHouse is away it is healthy and not ready, and says for whom it waits; then it is ready', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const address = free.address();
    assert.ok(typeof address === 'object' && address);
    await new Promise((resolve) => free.close(resolve));
    const away = setUpSpool(kafka.server, { url: `http://127.0.0.1:${address.port}` }).start();
    await until('it to wait', () => /does not answer/.test(away.output()));
    const [health, ready] = [await ask(away, '/healthz'), await ask(away, '/readyz')];
    assert.deepEqual([health.status, ready.status], [200, 503]);
    assert.match(health.text, /^ClickHouse at .* does not answer/);
    assert.equal(ready.text, health.text);
    assert.equal(await away.end(), 0);

    const there = setUpSpool(kafka.server).start();
    await until('it to be ready', async () => (await ask(there, '/readyz')).status === 200);
    assert.deepEqual(await ask(there, '/healthz'), { status: 200, text: 'ok\n' });
    assert.equal(await metric(there, 'exactly_once'), 1);
    assert.equal(await there.end(), 0);
  });

  test('a consumer whose storing is stopped for a person is not ready, and nobody is told to start it again', async () => {
    const setup = setUpSpool(kafka.server);
    setup.spool.batch(10);
    await setup.once();
    await kafka.server.client.command({
      query: `INSERT INTO ${setup.database}.tcp_events SELECT * REPLACE (2 AS origin_offset) FROM ${setup.database}.tcp_events LIMIT 3`,
    });
    setup.spool.batch(10);
    const consumer = setup.start();
    await until('it to be stopped', async () => (await metric(consumer, 'stopped')) === 1);
    const [health, ready] = [await ask(consumer, '/healthz'), await ask(consumer, '/readyz')];
    assert.deepEqual([health.status, ready.status], [200, 503]);
    assert.match(health.text, /tcp_events holds 3 of 10 rows of batch 2/);
    assert.equal(await consumer.end(), 0, consumer.output());
  });

  test('a dead letter that is refused holds up its partition alone, is told of, and is kept when it may', async () => {
    const setup = await kafka.setUp({ partitions: 2 });
    const letterBytesMax = (value: string) =>
      kafka.admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: setup.deadLetter,
            configEntries: [{ name: 'max.message.bytes', value }],
          },
        ],
      });
    await letterBytesMax('1000');
    await setup.send(framed(1), randomBytes(5_000), framed(2));
    const consumer = setup.start();
    await until('it to be tried again', async () => (await metric(consumer, 'letter_refusals_total')) >= 2);
    const ready = await ask(consumer, '/readyz');
    assert.equal(ready.status, 503);
    assert.match(ready.text, /^partition 0 waits, .*max\.message\.bytes/);
    const value = framed(3);
    await kafka.producer.send({ topic: setup.topic, acks: -1, messages: [{ value, partition: 1 }] });
    await until('the other partition to be stored', async () => (await setup.counts()).u >= 3 * ROWS);
    await letterBytesMax('1000000');
    await until('all to be stored', () => setup.isDrained());
    assert.deepEqual(await setup.counts(), { n: 3 * ROWS, u: 3 * ROWS, b: 3 });
    assert.equal((await setup.letters()).length, 1);
    assert.equal((await ask(consumer, '/readyz')).status, 200);
    assert.equal(consumer.output().match(/joined group/g)?.length, 1);
    assert.equal(await consumer.end(), 0, consumer.output());
  });

  test('what waits shows as messages, as events, and as an age that grows', async () => {
    const setup = await kafka.setUp();
    await setup.send(framed(1));
    const proxy = await startProxy(kafka.server.url);
    const consumer = setup.start([], { TCPTRAIL_CLICKHOUSE_URL: proxy.url });
    await until('the first to be stored', () => setup.isDrained());
    await until('nothing to wait', async () => (await metric(consumer, 'lag_messages')) === 0);
    proxy.play(holding(`INSERT INTO ${setup.database}.tcp_events`));
    await setup.send(framed(2), framed(3));
    await until('two messages to wait', async () => (await metric(consumer, 'lag_messages')) === 2);
    assert.equal(await metric(consumer, 'lag_events'), 2 * ROWS);
    const age = await metric(consumer, 'lag_seconds');
    await until('the age to grow', async () => (await metric(consumer, 'lag_seconds')) > age);
    proxy.release();
    await until('all to be stored', () => setup.isDrained());
    await until('nothing to wait', async () => (await metric(consumer, 'lag_events')) === 0);
    assert.equal(await consumer.end(), 0, consumer.output());
  });

  test('SIGTERM amid an INSERT finishes it, commits, and ends with 0', async () => {
    const { setup, proxy, consumer } = await held('tcp_events');
    process.kill(consumer.pid, 'SIGTERM');
    await consumer.said('finishing what is in hand');
    proxy.release();
    assert.equal(await consumer.exited, 0, consumer.output());
    assert.ok(await setup.isDrained());
    assert.deepEqual(await setup.counts(), { n: 3 * ROWS, u: 3 * ROWS, b: 3 });
  });

  for (const table of ['tcp_events', 'tcp_batches']) {
    test(`a second SIGTERM amid the INSERT into ${table} ends at once, and the next start stores what is left once`, async () => {
      const { setup, proxy, consumer } = await held(table);
      process.kill(consumer.pid, 'SIGTERM');
      await consumer.said('finishing what is in hand');
      await until('the second to be taken for one', () => {
        if (!/a second SIGTERM/.test(consumer.output())) process.kill(consumer.pid, 'SIGTERM');
        return /a second SIGTERM/.test(consumer.output());
      });
      assert.equal(await consumer.exited, 1, consumer.output());
      proxy.stop();
      await storedOnce(setup);
    });
  }

  test('Ctrl-C with a ClickHouse that never answers ends within the deadline by itself', async () => {
    const { setup, proxy, consumer } = await held('tcp_batches', { TCPTRAIL_STOP_WAIT_MS_MAX: '200' });
    process.kill(consumer.pid, 'SIGINT');
    await consumer.exited;
    proxy.stop();
    await storedOnce(setup);
  });
});
