import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchBytesOf } from '../../src/consume/fetch-bytes.ts';

test('however many brokers there are, together they send no more than one alone would, and a partition no more than its broker', () => {
  const alone = fetchBytesOf(1);
  assert.ok(alone.maxBytesPerPartition < alone.maxBytes);
  for (const brokers of [2, 3, 7, 100]) {
    const { maxBytes, maxBytesPerPartition } = fetchBytesOf(brokers);
    assert.ok(brokers * maxBytes <= alone.maxBytes, String(brokers));
    assert.ok(maxBytesPerPartition <= maxBytes && maxBytes > 0, String(brokers));
  }
  assert.deepEqual(fetchBytesOf(0), alone);
});
