import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertSameLines, sidesStored, sidesTrue } from '../e2e/sides.ts';
import type { TestAgent } from '../harness/agent.ts';
import { createFleet, type Fleet } from '../harness/fleet.ts';
import { until } from '../harness/until.ts';
import { createRandom } from '../random.ts';
import { assertComplete, assertIdentities, readCompleteness } from './accounted.ts';
import { CRASH_STEPS } from './crash-at.ts';
import { startEndlessLoad } from './endless-load.ts';

const IS_LONG = Boolean(process.env['TCPTRAIL_TEST_LONG']);
const KILLS = IS_LONG ? 100 : 20;
const SEED = 23;
/** Longer than the group waits for a silent consumer: its partitions have another owner when it goes on. */
const STOP_MS = IS_LONG ? 60_000 : 4_000;
/** Has room for what the load makes in that time: 20,000 events more than the ring of 16 MiB once found it full. */
const RING = IS_LONG ? { ring: { lifecycleBytes: 64 * 1024 * 1024 } } : {};

let fleet: Fleet;
/** A small one, of the first agent's spool. */
let disk: string | undefined;
before(async () => {
  fleet = await createFleet({ agents: 2, consumers: 2, agent: RING });
  disk = fleet.agents[0]?.spool;
  assert.ok(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tcptrail-test', disk]);
  for (const consumer of fleet.consumers) consumer.start();
  for (const agent of fleet.agents) await agent.start();
});
after(async () => {
  for (const agent of fleet?.agents ?? []) await agent.stop();
  if (disk) execFileSync('umount', ['--lazy', disk]);
  await fleet?.stop();
});

/** Fills the disk of its spool to the last byte, until it says that it cannot write. */
async function fullFor(agent: TestAgent | undefined): Promise<void> {
  assert.ok(agent);
  const ballast = join(agent.spool, 'ballast');
  const fd = openSync(ballast, 'w');
  try {
    for (const block = Buffer.alloc(65_536); ; ) writeSync(fd, block);
  } catch {
    // Full.
  } finally {
    closeSync(fd);
  }
  const refusals = (): number => agent.part.output().split('AGENT_SPOOL_WRITE').length;
  const before = refusals();
  await until('the agent to say so', () => refusals() > before);
  rmSync(ballast);
}

test(`${KILLS} kills each of agents and consumers, 2 of Kafka, a full disk, and an agent and a consumer stopped for a while lose nothing and double nothing`, async (t) => {
  const random = createRandom(SEED);
  const left = new Map<string, number>();
  const load = startEndlessLoad();
  // A test that fails must not leave it running.
  t.after(() => load.stop());
  // Half of the agents are killed at any moment, half at each step in turn.
  const agentKills = Array.from({ length: KILLS }, (_, kill) =>
    kill % 2 === 0 ? 'agent' : `agent at ${CRASH_STEPS[((kill - 1) / 2) % CRASH_STEPS.length]}`,
  );
  const victims = [
    ...agentKills,
    ...Array.from({ length: KILLS }, () => 'consumer'),
    ...Array.from({ length: 2 }, () => 'kafka'),
    'disk',
    'stop',
  ];
  while (victims.length > 0) {
    const [victim = ''] = victims.splice(random.below(victims.length), 1);
    // The moment of the kill is what is random here; nothing is waited for.
    await sleep(50 + random.below(500));
    if (victim.startsWith('agent')) {
      const agent = fleet.agents[random.below(fleet.agents.length)];
      assert.ok(agent);
      await agent.part.end('SIGKILL');
      const [, step] = victim.split(' at ');
      if (step) {
        agent.startDoomed(step, random.below(5));
        assert.equal(await agent.part.exited, 'SIGKILL', agent.part.output());
      }
      for (const [place, number] of agent.pinnedNumbers()) left.set(place, number);
      await agent.start();
    } else if (victim === 'consumer') {
      const consumer = fleet.consumers[random.below(fleet.consumers.length)];
      assert.ok(consumer);
      await consumer.part.end('SIGKILL');
      consumer.start();
    } else if (victim === 'disk') {
      await fullFor(fleet.agents[0]);
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
  const truths = await load.stop();
  for (const agent of fleet.agents) {
    await until('all that was spooled to be acknowledged', () => agent.isRead('kafka'));
    await agent.part.end('SIGINT');
  }
  await until('all that was published to be stored', () => fleet.caughtUp(), 120_000);
  const rows = await readCompleteness(fleet.rows);
  assert.equal(new Set(rows.map((row) => row.kernel_epoch)).size, fleet.agents.length);
  assertComplete(rows, left);
  for (const { host } of fleet.agents) {
    const look = { host, executable: false };
    assertSameLines(await sidesStored(fleet.rows, truths, look), sidesTrue(truths, look));
  }
  await assertIdentities(fleet.rows);
  const [marked] = await fleet.rows<{ batches: string }>(
    'SELECT countIf(maybe_duplicate) AS batches FROM tcp_batches',
  );
  assert.ok(Number(marked?.batches) > 0, 'batches that may have been sent before a kill went again');
});
