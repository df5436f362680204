import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../test/random.ts';
import { createSeenKeys } from '../../src/reduce/seen-keys.ts';

const key = (first: number, second = 0) => ({ first: first | 0, second: second | 0 });

test('a key is seen from its second time on', () => {
  const seen = createSeenKeys(16);
  assert.equal(seen.see(key(1)), false);
  assert.equal(seen.see(key(1)), true);
  assert.equal(seen.see(key(1, 2)), false, 'another key of the same place');
  assert.equal(seen.see(key(0)), false);
  assert.equal(seen.see(key(0)), true);
});

test('what is asked for again stays, whatever else comes', () => {
  const seen = createSeenKeys(64);
  seen.see(key(-1));
  for (let other = 0; other < 10_000; other++) {
    assert.equal(seen.see(key(other, 7)), false);
    assert.equal(seen.see(key(-1)), true);
  }
});

test('the newest are kept, as many as half of the places hold, and the eldest forgotten', () => {
  const seen = createSeenKeys(64);
  for (let index = 0; index < 1_000; index++) seen.see(key(index));
  for (let index = 968; index < 1_000; index++) assert.equal(seen.see(key(index)), true);
  assert.equal(seen.see(key(0)), false);
});

test('random keys are never taken for one another', () => {
  const random = createRandom(5);
  const seen = createSeenKeys(4_096);
  for (let index = 0; index < 100_000; index++) {
    assert.equal(seen.see(key(random.below(64), 2 * index)), false);
  }
});
