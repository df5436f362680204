import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portionsOf } from '../../src/dlq/retry.ts';

test('letters are read in portions that fit, in order, a larger one alone, and none is left out', () => {
  const letters = [4, 5, 2, 30, 1, 9, 1].map((size) => ({ size }));
  const sizes = portionsOf(letters, 10).map((portion) => portion.map(({ size }) => size));
  assert.deepEqual(sizes, [[4, 5], [2], [30], [1, 9], [1]]);
  assert.deepEqual(portionsOf([], 10), []);
});
