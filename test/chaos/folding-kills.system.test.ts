import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createStack, type Stack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { readCompleteness } from './accounted.ts';
import { startEndlessLoad } from './endless-load.ts';

const KILLS = process.env['TCPTRAIL_TEST_LONG'] ? 12 : 3;

let stack: Stack;
before(async () => {
  // Short windows and small batches: many of them end while no sample has reached what they hold.
  stack = await createStack({
    agent: {
      fold: { enabled: true, windowMs: 1_000 },
      batch: { rowsMax: 20 },
    },
  });
  await stack.startServer();
  stack.startConsumer();
  await stack.startAgent();
});
after(() => stack?.stop());

/** Events folded so far, as the stored summaries say. */
async function foldedInRows(): Promise<number> {
  const [row] = await stack
    .rows<{ folded: string }>('SELECT sum(folded) AS folded FROM tcp_events')
    .catch(() => []);
  return Number(row?.folded ?? 0);
}

test(`${KILLS} kills of an agent that folds leave every number told, and every folded one in a summary that is there`, async (t) => {
  /** Kernel epoch and CPU → last number that the kernel had given when the agent was gone. */
  const left = new Map<string, number>();
  const load = startEndlessLoad();
  t.after(() => load.stop());
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await foldedInRows();
    await until('more to be folded', async () => (await foldedInRows()) > before + 100);
    await stack.agent.end('SIGKILL');
    for (const [place, number] of stack.pinnedNumbers()) left.set(place, number);
    await stack.startAgent();
  }
  await load.stop();
  await stack.agent.end();
  await until('all that was spooled to be stored', () => stack.caughtUp());

  const accounts = await readCompleteness(stack.rows);
  for (const row of accounts) {
    const text = JSON.stringify(row);
    // The view takes what nobody told for unspooled: a sum with it would hold of anything.
    for (const name of ['failed', 'unspooled', 'doubled', 'lost', 'parked', 'waiting'] as const)
      assert.equal(Number(row[name]), 0, text);
    assert.equal(Number(row.stored), Number(row.rows), text);
    assert.ok(Number(row.numbered) >= (left.get(row.place) ?? 0), text);
    const told = [row.rows, row.failed, row.folded, row.filtered].map(Number);
    assert.ok(
      told.every((count) => count >= 0),
      text,
    );
    assert.equal(
      Number(row.numbered),
      told.reduce((sum, count) => sum + count, 0),
      text,
    );
  }
  const inRows = await foldedInRows();
  assert.ok(inRows > 100 * KILLS);
  assert.equal(
    accounts.reduce((sum, { folded }) => sum + Number(folded), 0),
    inRows,
  );
  const [rule] = await stack.rows<{ folded: string }>('SELECT sum(folded) AS folded FROM exclusions');
  assert.equal(Number(rule?.folded), inRows);
  const [ahead] = await stack.rows<{ batches: string }>(
    'SELECT countIf(arraySum(cpus.folded_ahead) > 0) AS batches FROM tcp_batches',
  );
  assert.ok(Number(ahead?.batches) > 0, 'batches ended before a sample had reached what they hold');
});
