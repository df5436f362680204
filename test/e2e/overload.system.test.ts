import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readCompleteness } from '../chaos/accounted.ts';
import { runLoad } from '../harness/load.ts';
import { createStack, type Stack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

/** Room for about 130 events, where a load makes thousands. */
const RING_BYTES = 64 * 1024;
const PAUSE_MS = 5_000;
const COUNT = 500;

let stack: Stack;
let connections = 0;

/** The agent sees nothing for five seconds while connections come and go. */
before(async () => {
  stack = await createStack({
    agent: { ring: { lifecycleBytes: RING_BYTES, chatterBytes: RING_BYTES }, events: { openHoldMs: 0 } },
  });
  await stack.startServer();
  stack.startConsumer();
  await stack.startAgent();
  process.kill(stack.agent.pid, 'SIGSTOP');
  const goOnMs = Date.now() + PAUSE_MS;
  for (let seed = 1; Date.now() < goOnMs; seed += 1) {
    const truths = await runLoad({ count: COUNT, refused: 10, seed });
    connections += truths.length;
  }
  process.kill(stack.agent.pid, 'SIGCONT');
  await runLoad({ count: 20, refused: 0, seed: 0 });
  await stack.agent.end('SIGINT');
  await until('everything spooled to be stored', () => stack.caughtUp());
});
after(() => stack?.stop());

test('what arrived and what is reported lost are together every number of every CPU', async () => {
  const cpus = await readCompleteness(stack.rows);
  for (const cpu of cpus) {
    const text = JSON.stringify(cpu);
    assert.equal(Number(cpu.numbered), Number(cpu.stored) + Number(cpu.failed), text);
    for (const name of ['unspooled', 'waiting', 'parked', 'lost', 'doubled'] as const)
      assert.equal(Number(cpu[name]), 0, `${name}: ${text}`);
  }
  const failed = cpus.reduce((sum, cpu) => sum + Number(cpu.failed), 0);
  assert.ok(failed > connections, `${failed} lost of the events of ${connections} sides`);
});

test('the loss is told by ring and kind as well, and sums up to the same', async () => {
  const [lost] = await stack.rows<{ failed: string; kinds: string[] }>(`
    SELECT arraySum(failed_reserves.count) AS failed,
      arrayMap((ring, kind) -> concat(ring::String, ' ', kind::String), failed_reserves.ring, failed_reserves.kind) AS kinds
    FROM tcp_batches ORDER BY batch_seq DESC LIMIT 1`);
  const [numbered] = await stack.rows<{ failed: string }>('SELECT sum(failed) AS failed FROM completeness');
  assert.equal(lost?.failed, numbered?.failed);
  for (const kind of ['lifecycle open', 'lifecycle close', 'lifecycle fail', 'chatter reset'])
    assert.ok(lost?.kinds.includes(kind), `${kind} in ${lost?.kinds.join(', ')}`);
});
