import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFleet, type Fleet } from '../harness/fleet.ts';
import { until } from '../harness/until.ts';
import { createRandom } from '../random.ts';
import { assertAccounted, assertIdentities, readCompleteness } from './accounted.ts';
import { startEndlessLoad } from './endless-load.ts';

const KILLS = 20;
const SEED = 23;
/** Longer than the group waits for a silent consumer: its partitions have another owner when it goes on. */
const STOP_MS = process.env['TCPTRAIL_TEST_LONG'] ? 60_000 : 4_000;

let fleet: Fleet;
before(async () => {
  fleet = await createFleet({ agents: 2, consumers: 2 });
  for (const consumer of fleet.consumers) consumer.start();
  for (const agent of fleet.agents) await agent.start();
});
after(() => fleet?.stop());

test(`${KILLS} kills each of agents and consumers, 2 of Kafka and an agent and a consumer stopped for a while lose nothing that was spooled and double nothing`, async (t) => {
  const random = createRandom(SEED);
  const left = new Map<string, number>();
  const load = startEndlessLoad();
  // A test that fails must not leave it running.
  t.after(() => load.stop());
  const victims = [
    ...Array.from({ length: KILLS }, () => 'agent'),
    ...Array.from({ length: KILLS }, () => 'consumer'),
    ...Array.from({ length: 2 }, () => 'kafka'),
    'stop',
  ];
  while (victims.length > 0) {
    const [victim] = victims.splice(random.below(victims.length), 1);
    // The moment of the kill is what is random here; nothing is waited for.
    await sleep(50 + random.below(500));
    if (victim === 'agent') {
      const agent = fleet.agents[random.below(fleet.agents.length)];
      assert.ok(agent);
      await agent.part.end('SIGKILL');
      for (const [place, number] of agent.pinnedNumbers()) left.set(place, number);
      await agent.start();
    } else if (victim === 'consumer') {
      const consumer = fleet.consumers[random.below(fleet.consumers.length)];
      assert.ok(consumer);
      await consumer.part.end('SIGKILL');
      consumer.start();
    } else if (victim === 'stop') {
      const pids = [fleet.agents[0], fleet.consumers[0]].map((each) => each?.part.pid ?? 0);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      await sleep(STOP_MS);
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    } else {
      await fleet.kafka.kill();
      await fleet.kafka.start();
    }
  }
  await load.stop();
  for (const agent of fleet.agents) {
    await until('all that was spooled to be acknowledged', () => agent.isRead('kafka'));
    await agent.part.end();
  }
  await until('all that was published to be stored', () => fleet.caughtUp(), 120_000);
  const rows = await readCompleteness(fleet.rows);
  assert.equal(new Set(rows.map((row) => row.kernel_epoch)).size, KILLS + fleet.agents.length);
  assertAccounted(rows, left);
  await assertIdentities(fleet.rows);
  const [marked] = await fleet.rows<{ batches: string }>(
    'SELECT countIf(maybe_duplicate) AS batches FROM tcp_batches',
  );
  assert.ok(Number(marked?.batches) > 0, 'batches that may have been sent before a kill went again');
});
