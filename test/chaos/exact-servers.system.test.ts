import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inserts, startProxy } from '../harness/proxy.ts';
import { counts, isCaughtUp, setUpSpool } from '../harness/spool-consumer.ts';
import { until } from '../harness/until.ts';
import { NOW_US } from '../spool-writer.ts';
import { runMatrix } from './exact/matrix.ts';
import { EXACT, isStopped, joins, sendSome, useServers } from './exact/scenario.ts';

const DAY_US = 86_400_000_000;
const KILLS = process.env['TCPTRAIL_TEST_LONG'] ? 200 : 20;
const SEED = 7;

const servers = useServers();

test('ClickHouse is killed at each rename of a range, before and after it, and all is there once', async (t) => {
  const world = await servers.makeWorld(t, { name: 'renames' });
  const consumer = world.start();
  await sendSome(world);
  await world.drained();
  const killed: string[] = [];
  for (let nth = 1; nth === 1 || killed.includes(`after ${nth - 1}`); nth++) {
    for (const when of ['before', 'after'] as const) {
      servers.server.killAtRename(nth, when);
      await sendSome(world, 1);
      const end = await Promise.race([
        servers.server.exited,
        until('the range to be stored', () => world.isDrained()),
      ]);
      if (end === true) {
        servers.server.disarm();
        break;
      }
      killed.push(`${when} ${nth}`);
      await servers.server.start();
      await world.drained();
      assert.deepEqual(await world.compare(), EXACT, killed.join(', '));
    }
  }
  const parts = ['before 1', 'after 1', 'before 2', 'after 2', 'before 3', 'after 3'];
  assert.deepEqual(killed.slice(0, parts.length), parts, 'events of two days, and batches');
  assert.match(consumer.output(), /knows the token of .* does not have the rows/);
  assert.equal(await consumer.end(), 0);
});

test('a rebalance while ClickHouse has INSERTs and does not answer', async (t) => {
  const world = await servers.makeWorld(t, { name: 'rebalance', partitions: 2 });
  const [first, second] = [world.start(), world.start()];
  await until('a partition each', () =>
    [first, second].every((part) => /joined group [^"]*: 1 partitions/.test(part.output())),
  );
  for (const partition of [0, 1]) await sendSome(world, 4, partition);
  await world.drained();
  process.kill(servers.server.pid, 'SIGSTOP');
  t.after(() => process.kill(servers.server.pid, 'SIGCONT'));
  for (const partition of [0, 1]) await sendSome(world, 4, partition);
  await until('both to have begun a range', async () => {
    const [of] = await world.admin.fetchOffsets({ groupId: world.group, topics: [world.topic] });
    return of?.partitions.every(({ metadata }) => /^tcptrail 2 \S+ /.test(metadata ?? ''));
  });
  const before = joins(first);
  await second.end('SIGKILL');
  await until('the other to have both', () => joins(first) > before);
  process.kill(servers.server.pid, 'SIGCONT');
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT, first.output());
});

test('Kafka stands still for longer than the session, with a range begun', async (t) => {
  const world = await servers.makeWorld(t, { name: 'still' });
  await sendSome(world);
  const zombie = world.startDoomed('insert', 0, 'SIGSTOP');
  await until('a range to be begun', () => isStopped(zombie));
  process.kill(servers.kafka.pid, 'SIGSTOP');
  t.after(() => process.kill(servers.kafka.pid, 'SIGCONT'));
  process.kill(zombie.pid, 'SIGCONT');
  await zombie.said('trying again');
  process.kill(servers.kafka.pid, 'SIGCONT');
  await sendSome(world);
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT, zombie.output());
});

test('Kafka hangs for longer than a lease and less than the session, while INSERTs hang that were given up', async (t) => {
  const proxy = await startProxy(servers.server.url);
  const world = await servers.makeWorld(t, {
    name: 'hang',
    consumer: { kafka: { sessionMs: 9_000 }, clickhouse: { url: proxy.url, requestWaitMsMax: 500 } },
  });
  const consumer = world.start();
  await sendSome(world);
  await world.drained();
  proxy.play(inserts({ isHeld: true, isSurvivor: true }));
  await sendSome(world);
  await proxy.held;
  process.kill(servers.kafka.pid, 'SIGSTOP');
  t.after(() => process.kill(servers.kafka.pid, 'SIGCONT'));
  await consumer.said('no heartbeat was answered');
  process.kill(servers.kafka.pid, 'SIGCONT');
  await until('what it has noted to be finished', () => /were begun before/.test(consumer.output()));
  proxy.release();
  await world.drained();
  assert.deepEqual(await world.compare(), EXACT, consumer.output());
});

test('a spool is read while ClickHouse is killed at each rename, and its consumer as well', async () => {
  const setup = setUpSpool(servers.server);
  const send = () => setup.spool.batch(9, {}, (index) => ({ tsUs: NOW_US - (index % 3 === 2 ? DAY_US : 0) }));
  const doomed = setup.start();
  send();
  await until('the first batch to be stored', () => isCaughtUp(setup.spool));
  for (const [nth, when] of [1, 2, 3].flatMap((nth) => [[nth, 'before'] as const, [nth, 'after'] as const])) {
    servers.server.killAtRename(nth, when);
    send();
    await servers.server.exited;
    await servers.server.start();
    if (nth === 2) await doomed.end('SIGKILL');
    // A kill while it looks after the tables would be another test.
    if (nth === 2 && when === 'before') await setup.start().said('reading');
    await until(`all to be stored, killed ${when} ${nth}`, () => isCaughtUp(setup.spool));
  }
  assert.deepEqual(await counts(setup), { n: 7 * 9, u: 7 * 9, b: 7, ub: 7 });
});

test(`${KILLS} kills of consumers at each step, of ClickHouse at each rename, of Kafka, and at any moment lose nothing and double nothing`, async () => {
  const { by: _by, ...result } = await runMatrix(servers, { kills: KILLS, seed: SEED });
  assert.deepEqual(result, { kills: KILLS, ...EXACT });
});
