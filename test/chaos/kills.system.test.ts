import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertSameLines, sidesStored, sidesTrue } from '../e2e/sides.ts';
import { createStack, type Stack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { createRandom } from '../random.ts';
import { assertComplete, assertIdentities, readCompleteness } from './accounted.ts';
import { startEndlessLoad } from './endless-load.ts';

const KILLS = process.env['TCPTRAIL_TEST_LONG'] ? 20 : 4;
const SEED = 11;

let stack: Stack;
before(async () => {
  stack = await createStack();
  await stack.startServer();
  stack.startConsumer();
  await stack.startAgent();
});
after(() => stack?.stop());

test(`${KILLS} kills each of agent, consumer and server under load lose nothing and double nothing`, async (t) => {
  const random = createRandom(SEED);
  /** Kernel epoch and CPU → last number that the kernel had given when the agent was gone. */
  const left = new Map<string, number>();
  const load = startEndlessLoad();
  // A test that fails must not leave it running.
  t.after(() => load.stop());
  const victims = ['agent', 'consumer', 'server'].flatMap((victim) =>
    Array.from({ length: KILLS }, () => victim),
  );
  while (victims.length > 0) {
    const [victim] = victims.splice(random.below(victims.length), 1);
    // The moment of the kill is what is random here; nothing is waited for.
    await sleep(100 + random.below(1500));
    if (victim === 'agent') {
      await stack.agent.end('SIGKILL');
      for (const [place, number] of stack.pinnedNumbers()) left.set(place, number);
      await stack.startAgent();
    } else if (victim === 'consumer') {
      await stack.consumer.end('SIGKILL');
      stack.startConsumer();
    } else {
      await stack.server.end('SIGKILL');
      await stack.startServer();
    }
  }
  const truths = await load.stop();
  await stack.agent.end('SIGINT');

  await until('all that was spooled to be stored', () => stack.caughtUp());
  const rows = await readCompleteness(stack.rows);
  const epochs = new Set(rows.map((row) => row.kernel_epoch));
  const runs = await stack.rows<object>(
    'SELECT agent_epoch, kernel_epoch, count() AS batches, max(batch_seq) AS last FROM tcp_batches GROUP BY ALL ORDER BY ALL',
  );
  assert.equal(epochs.size, 1, `one kernel state for all runs of the agent: ${JSON.stringify(runs)}`);
  assertComplete(rows, left);
  const look = { executable: false };
  assertSameLines(await sidesStored(stack.rows, truths, look), sidesTrue(truths, look));
  await assertIdentities(stack.rows);
});
