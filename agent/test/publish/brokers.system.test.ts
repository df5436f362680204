import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createKafka } from '@tcptrail/kafka/client.ts';
import { kafkaKeys } from '@tcptrail/kafka/config.ts';
import { findTopic } from '@tcptrail/kafka/topics.ts';
import { startKafka, type TestKafka } from '../../../test/harness/kafka.ts';
import { until } from '../../../test/harness/until.ts';
import { createSpool, NOW_US } from '../../../test/spool-writer.ts';
import { startOn, valuesOf } from './support/on-kafka.ts';

/** Node ids: the first is controller too, so it is the second that can go. */
const [FIRST, SECOND] = [1, 2];
const TOPIC = 'tcptrail.events';

let first: TestKafka;
let second: TestKafka;
before(async () => {
  first = await startKafka();
  second = await startKafka({ join: first });
});
after(async () => {
  await second?.stop();
  await first?.stop();
});

test('when leadership is moved, and when the leader is killed, batches go on in order and none is missing', async () => {
  const section = { brokers: [...first.brokers, ...second.brokers] };
  const config = kafkaKeys.parse(section);
  const client = createKafka(config);
  const admin = client.admin();
  await admin.connect();
  const leader = async (): Promise<number | undefined> =>
    (await findTopic(admin, config, TOPIC))?.[0]?.leader;
  const copies = async (): Promise<number | undefined> =>
    (await findTopic(admin, config, TOPIC))?.[0]?.isr.length;
  const reassign = (...replicas: number[]) =>
    admin.alterPartitionReassignments({
      topics: [{ topic: TOPIC, partitionAssignment: [{ partition: 0, replicas }] }],
    });
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic: TOPIC, replicaAssignment: [{ partition: 0, replicas: [FIRST] }] }],
  });
  await until('the first broker to lead', async () => (await leader()) === FIRST);

  const spool = createSpool();
  const agent = startOn(section, spool);
  const put = (batches: number): void => {
    for (let batch = 0; batch < batches; batch++) agent.put();
  };
  put(5);
  await until('the first batches to be published', () => agent.published() >= 5);

  await reassign(SECOND);
  put(5);
  await until('the second broker to lead', async () => (await leader()) === SECOND);
  put(5);
  await agent.caughtUp();

  await reassign(SECOND, FIRST);
  await until('both to have a copy', async () => (await copies()) === 2);
  const killed = second.kill();
  put(5);
  await killed;
  await until('the first broker to lead again', async () => (await leader()) === FIRST);
  put(5);
  await agent.caughtUp();
  await agent.stop();
  await admin.disconnect();

  const stored = await valuesOf(client, TOPIC);
  const fresh = stored.filter(({ maybeDuplicate }) => !maybeDuplicate).map(({ seq }) => seq);
  assert.equal(new Set(fresh).size, fresh.length, 'what came twice is marked');
  const inOrder = [...new Set(stored.map(({ seq }) => seq))];
  assert.deepEqual(
    inOrder,
    Array.from({ length: 25 }, (_, index) => index + 1),
  );
});

test('a backlog goes out in requests of ten recorded seconds at most, and what is recorded meanwhile comes after it', async () => {
  const topic = 'backlog';
  const section = { brokers: first.brokers, topic: { events: topic, partitions: 1 } };
  const spool = createSpool();
  const closedEvery = (second: number) => ({ batch_ts: NOW_US + second * 1_000_000 });
  for (let second = 0; second < 60; second++) spool.batch(1, closedEvery(second));
  const agent = startOn(section, spool, { replaySpeedMax: 50 });
  await until('some of it to be published', () => agent.published() > 0);
  agent.put(1, closedEvery(60));
  await agent.caughtUp();
  await agent.stop();
  assert.ok(Math.max(...agent.requests) <= 11, agent.requests.join(' '));
  const stored = await valuesOf(createKafka(kafkaKeys.parse(section)), topic);
  assert.deepEqual(
    stored.map(({ seq }) => seq),
    Array.from({ length: 61 }, (_, index) => index + 1),
  );
});
