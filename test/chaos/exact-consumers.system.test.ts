import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { run } from '../../cli/test/run-command.ts';
import { holding, inserts, startProxy } from '../harness/proxy.ts';
import { createTopics } from '../harness/topics.ts';
import { until } from '../harness/until.ts';
import { datumOf, NOW_US } from '../spool-writer.ts';
import { CONSUMER_STEPS, type ConsumerStep } from './crash-consumer-at.ts';
import { EXACT, isStopped, joins, killedAt, sendSome, useServers } from './exact/scenario.ts';
import type { World } from './exact/world.ts';

const OLDER = join(import.meta.dirname, 'older-consumer.ts');
/** Where a zombie does the most: before, while and after it sends an INSERT. */
const ZOMBIES: readonly ConsumerStep[] = process.env['TCPTRAIL_TEST_LONG']
  ? CONSUMER_STEPS
  : ['insert', 'half', 'events'];

const servers = useServers();

async function resetToFirst({ admin, group, topic }: World): Promise<void> {
  await until('the group to be empty', async () => {
    const { groups } = await admin.describeGroups([group]);
    return groups[0]?.state === 'Empty';
  });
  await admin.resetOffsets({ groupId: group, topic, earliest: true });
}

suite('consumers alone are killed or stopped: each has a topic and a database of its own', {
  concurrency: 3,
}, () => {
  for (const step of ZOMBIES) {
    test(`a consumer stopped at "${step}" until another has its partition goes on and doubles nothing`, async (t) => {
      const world = await servers.makeWorld(t, { name: `zombie-${step}` });
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
    const world = await servers.makeWorld(t, { name: 'fight' });
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

  test('the answers to INSERTs are cut off', async (t) => {
    const proxy = await startProxy(servers.server.url, inserts({ answer: 'cut' }, 4));
    const world = await servers.makeWorld(t, { name: 'cut', consumer: { clickhouse: { url: proxy.url } } });
    const consumer = world.start();
    for (let round = 0; round < 3; round++) {
      await sendSome(world);
      await world.drained();
    }
    assert.equal(proxy.faults, 4, consumer.output());
    assert.deepEqual(await world.compare(), EXACT);
  });

  test('what is no batch, and a batch that ClickHouse refuses, in the middle of a range that a killed consumer began', async (t) => {
    const world = await servers.makeWorld(t, { name: 'poison' });
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
    const world = await servers.makeWorld(t, { name: 'retention' });
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

  test('an offset that is reset by hand, with a range begun, reads everything again and doubles nothing, unless a consumer that was stopped goes on', async (t) => {
    const world = await servers.makeWorld(t, { name: 'reset' });
    await sendSome(world);
    const first = world.start();
    await world.drained();
    await first.end();
    for (const step of ['events', 'noted'] as const) {
      await sendSome(world);
      await killedAt(world, step);
      await resetToFirst(world);
    }
    await sendSome(world);
    const last = world.start();
    await world.drained();
    assert.deepEqual(await world.compare(), EXACT);
    await last.end();

    // What nobody closes: docs/operations.md says so, and `verify` finds it.
    const proxy = await startProxy(servers.server.url, holding('INSERT INTO reset.tcp_events'));
    await sendSome(world);
    const zombie = world.start({ TCPTRAIL_CLICKHOUSE_URL: proxy.url });
    await proxy.held;
    process.kill(zombie.pid, 'SIGSTOP');
    await resetToFirst(world);
    const heir = world.start();
    await world.drained();
    assert.deepEqual(await world.compare(), EXACT, heir.output());
    proxy.release();
    await until('its INSERT to arrive', async () => (await world.compare()).doubled > 0);
    const verified = await run(['verify', '--json', '--config', world.file]);
    assert.equal(verified.code, 1, verified.stderr);
    assert.match(verified.stdout, /"kind":"rows",.*and the table holds \d+ rows of it/);
  });

  test('batches that an older consumer could not read, in a range that it began: a newer one stores all of them once', async (t) => {
    const world = await servers.makeWorld(t, { name: 'older' });
    const isNewer = { agent_version: 'of-a-newer-release' };
    const env = { NODE_OPTIONS: `--import ${OLDER}`, TCPTRAIL_UNKNOWN_AGENT: isNewer.agent_version };
    const { oracle } = world;
    await world.send(0, oracle.next(), oracle.next(isNewer), oracle.next(), oracle.next(isNewer));
    const killed = world.startDoomed('events', 0, 'SIGKILL', env);
    assert.equal(await killed.exited, 'SIGKILL', killed.output());
    const newer = world.start();
    await world.drained();
    assert.deepEqual(await world.compare(), EXACT, newer.output());
    await newer.end();

    await world.send(0, oracle.next(isNewer), oracle.next(), oracle.next());
    const zombie = world.startDoomed('insert', 0, 'SIGSTOP', env);
    await until('it to be stopped', () => isStopped(zombie));
    const heir = world.start();
    await world.drained();
    process.kill(zombie.pid, 'SIGCONT');
    await until('it to join the group again', () => joins(zombie) > 1);
    assert.deepEqual(await world.compare(), EXACT, `${zombie.output()}\n${heir.output()}`);
  });

  test('the number of partitions is raised while an agent sends again what a killed consumer had begun', async (t) => {
    const world = await servers.makeWorld(t, { name: 'raised' });
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

  test('a topic is deleted, made again and filled beyond what was read of it, under a consumer that stands still meanwhile, and after one that was killed with a range begun', async (t) => {
    const world = await servers.makeWorld(t, { name: 'anew' });
    async function makeAnew(batches: number): Promise<void> {
      await world.admin.deleteTopics({ topics: [world.topic] });
      await until('it to be gone', async () => !(await world.admin.listTopics()).includes(world.topic));
      await createTopics(world.admin, [{ topic: world.topic, numPartitions: 1 }]);
      for (let batch = 0; batch < batches; batch++) await world.sendSurely(0);
    }
    // What the group has committed is of the topic before, until it commits again: no lag says nothing yet.
    const allStored = () => until('all to be stored', async () => (await world.compare()).lost === 0);
    const first = world.start();
    await sendSome(world);
    await world.drained();
    for (const batches of [2, 12]) {
      process.kill(first.pid, 'SIGSTOP');
      await makeAnew(batches);
      process.kill(first.pid, 'SIGCONT');
      await allStored();
      await world.drained();
      assert.deepEqual(await world.compare(), EXACT, first.output());
    }
    await first.end();
    await sendSome(world);
    await killedAt(world, 'done');
    await makeAnew(20);
    const last = world.start();
    await allStored();
    await world.drained();
    assert.deepEqual(await world.compare(), EXACT, last.output());
    const origins = await world.rows<{ origin: string }>('SELECT DISTINCT origin FROM {db}.tcp_batches');
    assert.equal(origins.length, 4);
  });
});
