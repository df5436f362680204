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
  async function enter(name: string, signal = new AbortController().signal): Promise<void> {
    void breaker.enter(signal).then(
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

test('after a failure one tries, the others wait for its outcome, and the waits grow', async () => {
  const { breaker, entered, enter, pass } = create();
  breaker.failed();
  await enter('a');
  await enter('b');
  assert.deepEqual(entered, []);
  assert.equal(await pass(), 200);
  assert.deepEqual(entered, ['a']);
  breaker.failed();
  await turn();
  assert.deepEqual(entered, ['a']);
  assert.equal(await pass(), 400);
  assert.deepEqual(entered, ['a', 'b']);
  await enter('c');
  assert.deepEqual(entered, ['a', 'b']);
  breaker.succeeded();
  await turn();
  assert.deepEqual(entered, ['a', 'b', 'c']);
});

test('one that is stopped while it waits, or that ends for another reason, leaves its turn to another', async () => {
  const { breaker, entered, enter, pass } = create();
  const stopping = new AbortController();
  breaker.failed();
  await enter('a', stopping.signal);
  await enter('b');
  stopping.abort();
  await turn();
  assert.deepEqual(entered, ['a aborted']);
  await pass();
  await pass();
  assert.deepEqual(entered, ['a aborted', 'b']);
  await enter('c');
  breaker.left();
  await turn();
  assert.equal(await pass(), 200);
  assert.deepEqual(entered, ['a aborted', 'b', 'c']);
});
