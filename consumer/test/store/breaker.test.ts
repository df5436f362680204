import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBreaker } from '../../src/store/breaker.ts';

/** Lets everything run that waits for nothing but a turn. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** `waits`: those under way, by what they take. */
function create() {
  const waits: { readonly ms: number; readonly end: () => void }[] = [];
  const wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((end, abort) => {
      waits.push({ ms, end });
      signal.addEventListener('abort', () => abort(signal.reason), { once: true });
    });
  const breaker = createBreaker(wait, () => 1);
  const entered: string[] = [];
  async function enter(
    name: string,
    { failures = 0, signal = new AbortController().signal } = {},
  ): Promise<void> {
    void breaker.enter(signal, failures).then(
      () => entered.push(name),
      () => entered.push(`${name} aborted`),
    );
    await turn();
  }
  async function pass(): Promise<number | undefined> {
    const first = waits.shift();
    first?.end();
    await turn();
    return first?.ms;
  }
  return { breaker, entered, enter, pass };
}

test('while ClickHouse answers nobody waits', async () => {
  const { breaker, entered, enter, pass } = create();
  await enter('a');
  await enter('b');
  breaker.succeeded();
  await enter('c');
  assert.deepEqual(entered, ['a', 'b', 'c']);
  assert.equal(await pass(), undefined);
});

test('after a failure one tries, and the others wait for its outcome', async () => {
  const { breaker, entered, enter } = create();
  breaker.failed();
  await enter('a');
  await enter('b');
  assert.deepEqual(entered, ['a']);
  breaker.failed();
  await turn();
  assert.deepEqual(entered, ['a', 'b']);
  await enter('c');
  await enter('d');
  assert.deepEqual(entered, ['a', 'b']);
  breaker.succeeded();
  await turn();
  assert.deepEqual(entered, ['a', 'b', 'c', 'd']);
});

test('one that always fails waits longer each time, whatever becomes of the others, and they do not wait for it', async () => {
  const { breaker, entered, enter, pass } = create();
  for (const [failures, ms] of [200, 400, 800].entries()) {
    breaker.failed();
    await enter('bad', { failures: failures + 1 });
    await enter('good');
    assert.deepEqual(entered.splice(0), ['good']);
    breaker.succeeded();
    assert.equal(await pass(), ms);
    assert.deepEqual(entered.splice(0), ['bad']);
  }
});

test('one that is stopped while it waits, or that ends for another reason, leaves its turn to another', async () => {
  const { breaker, entered, enter } = create();
  const [waiting, behind] = [new AbortController(), new AbortController()];
  breaker.failed();
  await enter('a', { failures: 1, signal: waiting.signal });
  await enter('b');
  await enter('c', { signal: behind.signal });
  await enter('d');
  waiting.abort();
  behind.abort();
  await turn();
  assert.deepEqual(entered.toSorted(), ['a aborted', 'b', 'c aborted']);
  breaker.left();
  await turn();
  assert.equal(entered.at(-1), 'd');
});
