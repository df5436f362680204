import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { loadConfig } from '@tcptrail/config/load.ts';
import { frame } from '@tcptrail/schemas/single-object.ts';
import { type KafkaSetup, useKafkaAndStore } from '../../test/harness/kafka-consumer.ts';
import { ROWS } from '../../test/harness/numbered-batch.ts';
import { startPart } from '../../test/harness/process.ts';
import { holding, startProxy } from '../../test/harness/proxy.ts';
import { createRandom } from '../../test/random.ts';
import { datumOf, HOST, NOW_US, temporaryFolder } from '../../test/spool-writer.ts';
import { CONSUMER_CONFIG } from '../src/config.ts';
import { type LambdaCore, openLambda } from '../src/lambda.ts';
import { createLog } from '../src/log.ts';
import { mskEvent, type Sent, selfManagedEvent } from './lambda-event.ts';

const INVOCATION = join(import.meta.dirname, 'lambda-invocation.ts');

const kafka = useKafkaAndStore();

const setUp = (): Promise<KafkaSetup> => kafka.setUp({ partitions: 2 });

/** A container: it keeps its connections from one event to the next. */
async function container(setup: KafkaSetup, env: NodeJS.ProcessEnv = {}): Promise<LambdaCore> {
  const log = createLog();
  log.level = 'silent';
  const config = loadConfig(CONSUMER_CONFIG, { part: 'consumer', file: setup.file, env });
  const core = await openLambda(config, log);
  after(() => core.close());
  return core;
}

const LEFT_MS = 60_000;
const ALL_STORED = { batchItemFailures: [] };

/** By that time ClickHouse would drop a row at once. */
const WRONG_CLOCK = { batch_ts: Date.parse('2001-01-01') * 1000 };

/** Messages of one partition, each with ten events of its own: CPU = partition, numbers by offset. Partition 1 is of a host whose clock is wrong. */
function messages(setup: KafkaSetup, partition: number, count: number): Sent[] {
  return Array.from({ length: count }, (_, offset) => {
    const seqs = Array.from({ length: ROWS }, (_event, index) => offset * ROWS + index + 1);
    const datum = datumOf(
      { agent_epoch: NOW_US + partition, batch_seq: offset + 1, ...(partition === 1 ? WRONG_CLOCK : {}) },
      seqs.map((seq) => ({ seq, cpu: partition })),
    );
    return {
      topic: setup.topic,
      partition,
      offset,
      key: Buffer.from(HOST),
      value: Buffer.from(frame(datum)),
    };
  });
}

/** Rows by identity: how many there are of each. All the same and complete when this is `{ n: once }`. */
async function identities(setup: KafkaSetup): Promise<{ rows: number; ids: number; perPartition: number[] }> {
  const rows = await setup.rows<{ partition: number; n: number; u: number; last: number }>(
    `SELECT origin_partition AS partition, count() AS n, uniqExact(agent_epoch, cpu, seq) AS u, max(seq) AS last
     FROM {db}.tcp_events GROUP BY partition ORDER BY partition`,
  );
  for (const { u, last } of rows) assert.equal(u, last, 'numbers without a hole');
  return {
    rows: rows.reduce((sum, { n }) => sum + n, 0),
    ids: rows.reduce((sum, { u }) => sum + u, 0),
    perPartition: rows.map(({ u }) => u),
  };
}

suite('each with a topic and a database of its own', { concurrency: 3 }, () => {
  test("an event is stored, from MSK or from a Kafka of one's own, and cut in another way changes nothing", async () => {
    const setup = await setUp();
    const core = await container(setup);
    const [zero, one] = [messages(setup, 0, 6), messages(setup, 1, 4)];
    assert.deepEqual(await core.handle(mskEvent([...zero.slice(0, 4), ...one]), LEFT_MS), ALL_STORED);
    assert.deepEqual(await core.handle(selfManagedEvent(zero.slice(2, 6)), LEFT_MS), ALL_STORED);
    assert.deepEqual(await core.handle(mskEvent([...zero, ...one.slice(1)]), LEFT_MS), ALL_STORED);
    const expected = { rows: 10 * ROWS, ids: 10 * ROWS, perPartition: [6 * ROWS, 4 * ROWS] };
    assert.deepEqual(await identities(setup), expected);
  });

  test('events that overlap and come to several containers at the same time, over and over, double and lose nothing', async () => {
    const setup = await setUp();
    const cores = [await container(setup), await container(setup), await container(setup)];
    const random = createRandom(7);
    const all = [messages(setup, 0, 16), messages(setup, 1, 16)];
    for (let round = 0; round < 4; round++) {
      const events = cores.map(() =>
        mskEvent(
          all.flatMap((sent) => {
            // Each begins where all before it were brought.
            const from = random.below(4 * round + 1);
            return sent.slice(from, Math.max(from + 1, 4 * (round + 1) - random.below(2)));
          }),
        ),
      );
      const answers = await Promise.all(
        cores.map((core, index) => core.handle(events[index] ?? mskEvent([]), LEFT_MS)),
      );
      for (const answer of answers) assert.deepEqual(answer, ALL_STORED);
    }
    assert.deepEqual(await cores[0]?.handle(mskEvent(all.flat()), LEFT_MS), ALL_STORED);
    const expected = { rows: 32 * ROWS, ids: 32 * ROWS, perPartition: [16 * ROWS, 16 * ROWS] };
    assert.deepEqual(await identities(setup), expected);
  });

  test('a container that is killed between its INSERTs leaves what the next one finishes', async () => {
    const setup = await setUp();
    const sent = messages(setup, 0, 5);
    const file = join(temporaryFolder(), 'event.json');
    writeFileSync(file, JSON.stringify(mskEvent(sent.slice(0, 3))));
    const proxy = await startProxy(kafka.server.url, holding(`INSERT INTO ${setup.database}.tcp_batches`));
    const env = { TCPTRAIL_CONFIG: setup.file, TCPTRAIL_CLICKHOUSE_URL: proxy.url };
    const killed = startPart([INVOCATION, file], env);
    await proxy.held;
    await killed.end('SIGKILL');
    proxy.stop();
    assert.deepEqual(await setup.counts(), { n: 3 * ROWS, u: 3 * ROWS, b: 0 });
    writeFileSync(file, JSON.stringify(mskEvent(sent.slice(1))));
    const next = startPart([INVOCATION, file], { TCPTRAIL_CONFIG: setup.file });
    assert.deepEqual(JSON.parse(await next.firstLine), ALL_STORED);
    assert.deepEqual(await setup.counts(), { n: 5 * ROWS, u: 5 * ROWS, b: 4 });
    const core = await container(setup);
    assert.deepEqual(await core.handle(mskEvent(sent.slice(0, 2)), LEFT_MS), ALL_STORED);
    assert.deepEqual(await setup.counts(), { n: 5 * ROWS, u: 5 * ROWS, b: 5 });
  });

  test('the answer names where a partition must go on; the others are stored', async () => {
    const setup = await setUp();
    const core = await container(setup);
    const [zero, one] = [messages(setup, 0, 3), messages(setup, 1, 3)];
    assert.deepEqual(await core.handle(mskEvent(one.slice(0, 2)), LEFT_MS), ALL_STORED);
    await setup.command('DELETE FROM {db}.tcp_events WHERE cpu = 1 AND seq = 12');
    const answer = await core.handle(mskEvent([...zero, ...one.slice(1)]), LEFT_MS);
    assert.deepEqual(answer, {
      batchItemFailures: [{ itemIdentifier: { partition: `${setup.topic}-1`, offset: 1 } }],
    });
    assert.equal((await setup.counts()).b, 5, 'three of partition 0 and two of partition 1');
  });

  test('an invocation with no time left stores nothing, and all of it comes again', async () => {
    const setup = await setUp();
    const core = await container(setup);
    const sent = [...messages(setup, 0, 2), ...messages(setup, 1, 2).slice(1)];
    const answer = await core.handle(mskEvent(sent), 0);
    assert.deepEqual(
      answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
      [
        { partition: `${setup.topic}-0`, offset: 0 },
        { partition: `${setup.topic}-1`, offset: 1 },
      ],
    );
    assert.equal((await setup.counts()).n, 0);
  });

  test('what hangs is given up before the invocation is cut off, and comes again', async () => {
    const setup = await setUp();
    const proxy = await startProxy(kafka.server.url, holding(`INSERT INTO ${setup.database}.tcp_events`));
    const core = await container(setup, { TCPTRAIL_CLICKHOUSE_URL: proxy.url });
    const sent = messages(setup, 0, 2);
    const answer = await core.handle(mskEvent(sent), 5_000);
    assert.deepEqual(answer, {
      batchItemFailures: [{ itemIdentifier: { partition: `${setup.topic}-0`, offset: 0 } }],
    });
    proxy.release();
    assert.deepEqual(await core.handle(mskEvent(sent), LEFT_MS), ALL_STORED);
    assert.deepEqual(await setup.counts(), { n: 2 * ROWS, u: 2 * ROWS, b: 2 });
  });

  test('what does not decode is parked byte for byte, and is no failure: it would come for ever', async () => {
    const setup = await setUp();
    const core = await container(setup);
    const [first, second, third] = messages(setup, 0, 3);
    assert.ok(first && second?.value && third);
    const torn = { ...second, value: second.value.subarray(0, -100) };
    const event = selfManagedEvent([first, torn, { ...third, value: null }]);
    assert.deepEqual(await core.handle(event, LEFT_MS), ALL_STORED);
    assert.equal((await setup.counts()).b, 1);
    assert.deepEqual(
      (await setup.letters()).map(({ value, headers }) => [
        headers['origin_offset'],
        headers['reason'],
        value?.toString('hex'),
      ]),
      [
        ['1', 'DECODE_TRUNCATED', torn.value.toString('hex')],
        ['2', 'FRAME_UNKNOWN', undefined],
      ],
    );
  });

  test('a consumer of the group goes on where the Lambda ended, and doubles nothing', async () => {
    const setup = await setUp();
    const core = await container(setup);
    const sent = messages(setup, 0, 4);
    await setup.send(...sent.map(({ value }) => value));
    assert.deepEqual(await core.handle(mskEvent(sent.slice(0, 2)), LEFT_MS), ALL_STORED);
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 4 * ROWS, u: 4 * ROWS, b: 4 });
  });

  test('an address of ClickHouse that does not answer gives way to the next, at the start of a container and later', async () => {
    const setup = await setUp();
    const proxy = await startProxy(kafka.server.url);
    const env = {
      TCPTRAIL_CLICKHOUSE_URL: proxy.url,
      TCPTRAIL_CLICKHOUSE_FALLBACK_URLS: kafka.server.url,
    };
    const sent = messages(setup, 0, 6);
    const warm = await container(setup, env);
    assert.deepEqual(await warm.handle(mskEvent(sent.slice(0, 2)), LEFT_MS), ALL_STORED);
    proxy.stop();
    const late = mskEvent(sent.slice(2, 4));
    assert.deepEqual(await warm.handle(late, LEFT_MS), {
      batchItemFailures: [{ itemIdentifier: { partition: `${setup.topic}-0`, offset: 2 } }],
    });
    assert.deepEqual(await warm.handle(late, LEFT_MS), ALL_STORED);
    const cold = await container(setup, env);
    assert.deepEqual(await cold.handle(mskEvent(sent.slice(4)), LEFT_MS), ALL_STORED);
    assert.deepEqual(await setup.counts(), { n: 6 * ROWS, u: 6 * ROWS, b: 6 });
  });
});
