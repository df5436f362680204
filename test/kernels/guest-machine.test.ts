import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestsAtOnce } from './guest-machine.ts';

test('a guest has CPUs of its own and half the memory is left, but one runs in any case', () => {
  const gib = 2 ** 30;
  assert.deepEqual(
    [
      guestsAtOnce(1, 4 * gib),
      guestsAtOnce(2, 24 * gib),
      guestsAtOnce(4, 24 * gib),
      guestsAtOnce(8, 8 * gib),
    ],
    [1, 1, 2, 1],
  );
});
