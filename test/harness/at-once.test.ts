import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce } from './at-once.ts';

test('so many run at a time, and the results stand as the items do', async () => {
  const going: (() => void)[] = [];
  let most = 0;
  const all = atOnce(2, ['a', 'b', 'c'], async (name) => {
    await new Promise<void>((resolve) => {
      going.push(resolve);
      most = Math.max(most, going.length);
      // The second ends before the first, and the third begins meanwhile.
      if (going.length === 2) going.pop()?.();
      if (name === 'c') while (going.length > 0) going.pop()?.();
    });
    return name.toUpperCase();
  });
  assert.deepEqual(await all, ['A', 'B', 'C']);
  assert.equal(most, 2);
});

test('the first error rejects', async () => {
  const failing = atOnce(2, [1, 2], (item) => Promise.reject(new Error(`of ${item}`)));
  await assert.rejects(failing, /of 1/);
});
