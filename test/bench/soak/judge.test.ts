import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flatness, isFlat, isGrowing } from './judge.ts';

test('the last third is compared with the middle one, whatever the first was', () => {
  assert.deepEqual(flatness([900, 1, 100, 102, 104, 106]), { middle: 101, last: 105, ratio: 1.04 });
  assert.deepEqual(flatness([0, 0, 100, 100, 110, 110, 110]), { middle: 100, last: 110, ratio: 1.1 });
});

test('memory is flat up to 5 % more, and when it shrinks', () => {
  const flat = (last: number) => isFlat(flatness([0, 1_000, last]));
  assert.deepEqual([flat(1_050), flat(1_051), flat(500)], [true, false, true]);
});

test('a queue grows when it is beyond its floor and a quarter more than it was', () => {
  const grows = (middle: number, last: number) => isGrowing(flatness([0, middle, last]), 10);
  assert.equal(grows(0, 10), false);
  assert.equal(grows(0, 11), true);
  assert.equal(grows(100, 125), false);
  assert.equal(grows(100, 126), true);
});

test('a queue that gets as much longer each time grows, and so does one that nobody measured', () => {
  const evenly = Array.from({ length: 240 }, (_, sample) => sample);
  assert.equal(isGrowing(flatness(evenly), 10), true);
  assert.equal(isGrowing(flatness(evenly.map(() => Number.NaN)), 10), true);
});

test('what stays at nothing is flat', () => {
  assert.deepEqual(flatness([0, 0, 0]), { middle: 0, last: 0, ratio: 1 });
  assert.equal(isFlat(flatness([0, 0, 1])), false);
});

test('without samples nothing is flat', () => {
  assert.equal(isFlat(flatness([])), false);
});
