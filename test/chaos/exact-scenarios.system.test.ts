import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, type TestContext, test } from 'node:test';
import { startCuttingProxy } from '../../consumer/test/cutting-proxy.ts';
import { counts, isCaughtUp, setUpSpool } from '../../consumer/test/spool-setup.ts';
import { startKafka, type TestKafka } from '../harness/kafka.ts';
import type { Part } from '../harness/process.ts';
import { until } from '../harness/until.ts';
import { datumOf, NOW_US } from '../spool-writer.ts';
import { CONSUMER_STEPS, type ConsumerStep } from './crash-consumer-at.ts';
import { type StoreServer, startStoreServer } from './exact/store-server.ts';
import { createWorld, type World, type WorldOptions } from './exact/world.ts';

const DAY_US = 86_400_000_000;
const EXACT = { lost: 0, doubled: 0, invented: 0 };
/** Where a zombie does the most: before, while and after it sends an INSERT. */
const ZOMBIES: readonly ConsumerStep[] = process.env['TCPTRAIL_TEST_LONG']
  ? CONSUMER_STEPS
  : ['insert', 'half', 'events'];

let kafka: TestKafka;
let server: StoreServer;
before(async () => {
  kafka = await startKafka();
  server = await startStoreServer();
});
after(async () => {
  // Whatever a test that failed has stopped.
  for (const part of [server, kafka]) if (part) process.kill(part.pid, 'SIGCONT');
  await server?.stop();
  await kafka?.stop();
});

async function makeWorld(t: TestContext, options: WorldOptions): Promise<World> {
  const world = await createWorld({ kafka, server }, options);
  t.after(() => world.stop());
  return world;
}

async function sendSome(world: World, count = 4, partition = 0): Promise<void> {
  await world.send(partition, ...Array.from({ length: count }, () => world.oracle.next()));
}

/** A consumer that was killed at the step, with `count` batches in one range. */
async function killedAt(world: World, step: ConsumerStep, passed = 0): Promise<void> {
  const doomed = world.startDoomed(step, passed);
  assert.equal(await doomed.exited, 'SIGKILL', doomed.output());
}

const isStopped = ({ pid }: Part): boolean => / T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

/** How many times it has joined the group. */
const joins = (part: Part): number => part.output().split('joined group').length - 1;

test('ClickHouse is killed at each rename of a range, before and after it, and all is there once', async (t) => {
  const world = await makeWorld(t, { name: 'renames' });
  const consumer = world.start();
  await sendSome(world);
  await world.drained();
  const killed: string[] = [];
  for (let nth = 1; nth === 1 || killed.includes(`after ${nth - 1}`); nth++) {
    for (const when of ['before', 'after'] as const) {
      server.killAtRename(nth, when);
      await sendSome(world, 1);
      const end = await Promise.race([
        server.exited,
        until('the range to be stored', () => world.isDrained()),
      ]);
      if (end === true) {
        server.disarm();
        break;
      }
      killed.push(`${when} ${nth}`);
      await server.start();
      await world.drained();
      assert.deepEqual(await world.compare(), EXACT, killed.join(', '));
    }
  }
  const parts = ['before 1', 'after 1', 'before 2', 'after 2', 'before 3', 'after 3'];
  assert.deepEqual(killed.slice(0, parts.length), parts, 'events of two days, and batches');
  assert.match(consumer.output(), /knows the token of .* does not have the rows/);
  assert.equal(await consumer.end(), 0);
});

for (const step of ZOMBIES) {
  test(`a consumer stopped at "${step}" until another has its partition goes on and doubles nothing`, async (t) => {
    const world = await makeWorld(t, { name: `zombie-${step}` });
    await sendSome(world);
    const zombie = world.startDoomed(step, 0, 'SIGSTOP');
    await until('it to be stopped', () => isStopped(zombie));
    const heir = world.start();
    await world.drained();
    assert.deepEqual(await world.compare(), EXACT, heir.output());
    process.kill(zombie.pid, 'SIGCONT');
    await until('it to join the group again', () => joins(zombie) > 1);
    await sendSome(world);
    await world.drained();
    assert.deepEqual(await world.compare(), EXACT, `${zombie.output()}\n${heir.output()}`);
  });
}

test('two consumers that lose one partition to each other again and again double nothing', async (t) => {
  const world = await makeWorld(t, { name: 'fight' });
  const fighters = [world.start(), world.start()];
  for (let round = 0; round < 4; round++) {
    await sendSome(world);
    const [loser, winner] = round % 2 === 0 ? fighters : fighters.toReversed();
    assert.ok(loser && winner);
    process.kill(loser.pid, 'SIGSTOP');
    const before = joins(winner);
    await sendSome(world);
    await until('the other to have the partition', () => joins(winner) > before);
    process.kill(loser.pid, 'SIGCONT');
    await sendSome(world);
  }
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT);
});

test('a rebalance while ClickHouse has INSERTs and does not answer', async (t) => {
  const world = await makeWorld(t, { name: 'rebalance', partitions: 2 });
  const [first, second] = [world.start(), world.start()];
  await until('a partition each', () =>
    [first, second].every((part) => /joined group [^"]*: 1 partitions/.test(part.output())),
  );
  for (const partition of [0, 1]) await sendSome(world, 4, partition);
  await world.drained();
  process.kill(server.pid, 'SIGSTOP');
  t.after(() => process.kill(server.pid, 'SIGCONT'));
  for (const partition of [0, 1]) await sendSome(world, 4, partition);
  await until('both to have begun a range', async () => {
    const [of] = await world.admin.fetchOffsets({ groupId: world.group, topics: [world.topic] });
    return of?.partitions.every(({ metadata }) => metadata?.startsWith('tcptrail 1 '));
  });
  const before = joins(first);
  await second.end('SIGKILL');
  await until('the other to have both', () => joins(first) > before);
  process.kill(server.pid, 'SIGCONT');
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT, first.output());
});

test('the answers to INSERTs are cut off', async (t) => {
  const proxy = await startCuttingProxy(server.url, 4);
  t.after(() => proxy.stop());
  const world = await makeWorld(t, { name: 'cut', consumer: { clickhouse: { url: proxy.url } } });
  const consumer = world.start();
  for (let round = 0; round < 3; round++) {
    await sendSome(world);
    await world.drained();
  }
  assert.equal(proxy.cuts, 4, consumer.output());
  assert.deepEqual(await world.compare(), EXACT);
});

test('Kafka stands still for longer than the session, with a range begun', async (t) => {
  const world = await makeWorld(t, { name: 'still' });
  await sendSome(world);
  const zombie = world.startDoomed('insert', 0, 'SIGSTOP');
  await until('a range to be begun', () => isStopped(zombie));
  process.kill(kafka.pid, 'SIGSTOP');
  t.after(() => process.kill(kafka.pid, 'SIGCONT'));
  process.kill(zombie.pid, 'SIGCONT');
  await zombie.said('trying again');
  process.kill(kafka.pid, 'SIGCONT');
  await sendSome(world);
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT, zombie.output());
});

test('what is no batch, and a batch that ClickHouse refuses, in the middle of a range that a killed consumer began', async (t) => {
  const world = await makeWorld(t, { name: 'poison' });
  await sendSome(world);
  const first = world.start();
  await world.drained();
  await first.end();
  await world.rows('ALTER TABLE {db}.tcp_events ADD CONSTRAINT known CHECK cpu = 0');
  const refused = datumOf({ agent_epoch: NOW_US, batch_seq: 1_000_000 }, [{ seq: 1, cpu: 1 }]);
  await sendSome(world, 3);
  await world.sendBytes(0, Buffer.from('no batch'));
  await world.send(0, refused);
  await sendSome(world, 3);
  for (const step of ['noted', 'events', 'batches', 'done'] as const) await killedAt(world, step);
  const last = world.start();
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT, last.output());
  const [end] = await world.admin.fetchTopicOffsets(world.deadLetter);
  assert.ok(Number(end?.high) >= 2, 'both are kept');
  const parked = await world.rows<{ reason: string }>(
    'SELECT reason FROM {db}.tcp_parked FINAL ORDER BY origin_offset',
  );
  assert.deepEqual(
    parked.map(({ reason }) => reason),
    ['FRAME_UNKNOWN', 'STORE_ROWS_REFUSED'],
  );
});

test('retention passes a range that a killed consumer began: what is left is stored once, what is gone is told', async (t) => {
  const world = await makeWorld(t, { name: 'retention' });
  await sendSome(world, 6);
  // Events of both days are there, the batches are not.
  await killedAt(world, 'events', 1);
  // The client knows the leader of a partition it has asked something of.
  await world.admin.fetchTopicOffsets(world.topic);
  await world.admin.deleteTopicRecords({ topic: world.topic, partitions: [{ partition: 0, offset: '2' }] });
  await sendSome(world);
  const consumer = world.start();
  await world.drained();
  assert.deepEqual(await world.compare(), { ...EXACT, lost: 2 }, 'the two batches that are gone');
  const [events] = await world.rows<{ n: number }>(
    'SELECT count() AS n FROM {db}.tcp_events WHERE batch_seq <= 2',
  );
  assert.ok(Number(events?.n) > 0, 'their events were stored before');
  assert.match(consumer.output(), /no longer holds messages 0-1/);
});

test('an offset that is reset by hand, with a range begun, reads everything again and doubles nothing', async (t) => {
  const world = await makeWorld(t, { name: 'reset' });
  await sendSome(world);
  const first = world.start();
  await world.drained();
  await first.end();
  for (const step of ['events', 'noted'] as const) {
    await sendSome(world);
    await killedAt(world, step);
    await until('the group to be empty', async () => {
      const { groups } = await world.admin.describeGroups([world.group]);
      return groups[0]?.state === 'Empty';
    });
    await world.admin.resetOffsets({ groupId: world.group, topic: world.topic, earliest: true });
  }
  await sendSome(world);
  world.start();
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT);
});

test('the number of partitions is raised while an agent sends again what a killed consumer had begun', async (t) => {
  const world = await makeWorld(t, { name: 'raised' });
  await sendSome(world);
  await killedAt(world, 'sent');
  await world.send(0, world.oracle.again());
  await world.admin.createPartitions({ topicPartitions: [{ topic: world.topic, count: 3 }] });
  await world.send(0, world.oracle.again());
  for (const partition of [1, 2, 2]) await world.sendSurely(partition);
  world.start();
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT);
});

test('a topic is deleted and made again, under a consumer that runs, and after one that was killed with a range begun', async (t) => {
  const world = await makeWorld(t, { name: 'anew' });
  async function makeAnew(): Promise<void> {
    await world.admin.deleteTopics({ topics: [world.topic] });
    await until('it to be gone', async () => !(await world.admin.listTopics()).includes(world.topic));
    await world.admin.createTopics({ topics: [{ topic: world.topic, numPartitions: 1 }] });
  }
  const sendSurely = async (count: number): Promise<void> => {
    for (let batch = 0; batch < count; batch++) await world.sendSurely(0);
  };
  const first = world.start();
  await sendSome(world);
  await world.drained();
  await makeAnew();
  await sendSurely(6);
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT, first.output());
  await first.end();
  await sendSome(world);
  await killedAt(world, 'done');
  await makeAnew();
  await sendSurely(3);
  const last = world.start();
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT, last.output());
  const origins = await world.rows<{ origin: string }>('SELECT DISTINCT origin FROM {db}.tcp_batches');
  assert.equal(origins.length, 3);
});

test('a spool is read while ClickHouse is killed at each rename, and its consumer as well', async () => {
  const setup = setUpSpool(server);
  const send = () => setup.spool.batch(9, {}, (index) => ({ tsUs: NOW_US - (index % 3 === 2 ? DAY_US : 0) }));
  const doomed = setup.start();
  send();
  await until('the first batch to be stored', () => isCaughtUp(setup.spool));
  for (const [nth, when] of [1, 2, 3].flatMap((nth) => [[nth, 'before'] as const, [nth, 'after'] as const])) {
    server.killAtRename(nth, when);
    send();
    await server.exited;
    await server.start();
    if (nth === 2) await doomed.end('SIGKILL');
    // A kill while it looks after the tables would be another test.
    if (nth === 2 && when === 'before') await setup.start().said('reading');
    await until(`all to be stored, killed ${when} ${nth}`, () => isCaughtUp(setup.spool));
  }
  assert.deepEqual(await counts(setup), { n: 7 * 9, u: 7 * 9, b: 7, ub: 7 });
});
