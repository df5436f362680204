import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runLoad } from '../harness/load.ts';
import { createStack, type Stack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import type { Truth } from '../load/connections.ts';
import { assertSameLines, sidesStored, sidesTrue } from './sides.ts';

const COUNT = 1000;
const REFUSED = 50;

let stack: Stack;
let truths: readonly Truth[] = [];

before(async () => {
  stack = await createStack();
  await stack.startServer();
  stack.startConsumer();
  await stack.startAgent();
  truths = await runLoad({ count: COUNT, refused: REFUSED, seed: 42 });
  await until('every connection to be queryable', async () => {
    const sides = await sidesStored(stack.rows, truths).catch(() => []);
    return sides.length >= truths.length;
  });
});
after(() => stack?.stop());

test(`the load was ${COUNT} connections over IPv4 and IPv6, ${REFUSED} of them refused`, () => {
  assert.equal(truths.filter((truth) => truth.side === 'client').length, COUNT - REFUSED);
  assert.equal(truths.filter((truth) => truth.side === 'server').length, COUNT - REFUSED);
  assert.equal(truths.filter((truth) => truth.side === 'refused').length, REFUSED);
  assert.ok(truths.some((truth) => truth.localAddress === '::1' && truth.side === 'refused'));
  assert.ok(truths.some((truth) => truth.localAddress === '127.0.0.1' && truth.side === 'refused'));
});

test('SQL finds each side exactly once, with its addresses, ports, process, bytes and errno', async () => {
  assertSameLines(await sidesStored(stack.rows, truths), sidesTrue(truths));
});

test('after the agent has stopped, completeness is exact on every CPU', async () => {
  await stack.agent.end('SIGINT');
  await until('everything spooled to be stored', () => stack.caughtUp());
  const numbered = await stack.rows<Record<string, string>>('SELECT * FROM completeness');
  assert.ok(numbered.length > 0);
  for (const row of numbered) {
    const value = (name: string): number => Number(row[name]);
    assert.equal(
      value('numbered'),
      value('rows') + value('failed') + value('folded') + value('filtered'),
      JSON.stringify(row),
    );
    for (const name of ['unspooled', 'parked', 'lost', 'doubled'])
      assert.equal(value(name), 0, `${name}: ${JSON.stringify(row)}`);
  }
  const stored = await stack.rows<{ stored: string }>('SELECT count() AS stored FROM tcp_events');
  assert.equal(
    numbered.reduce((sum, row) => sum + Number(row['stored']), 0),
    Number(stored[0]?.stored),
  );
});
