import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackoff, DEATHS_MAX, HEALTHY_MS } from '../../src/supervise/backoff.ts';

test('waits double and end in giving up', () => {
  const backoff = createBackoff();
  const waits = Array.from({ length: DEATHS_MAX }, () => backoff.next(10));
  assert.deepEqual(waits, [250, 500, 1_000, 2_000, 4_000, undefined]);
  assert.equal(backoff.deaths, DEATHS_MAX);
});

test('a part that had run well starts a new row', () => {
  const backoff = createBackoff();
  backoff.next(10);
  backoff.next(10);
  assert.equal(backoff.next(HEALTHY_MS), 250);
});
