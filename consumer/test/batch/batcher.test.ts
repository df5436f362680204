import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBatcher } from '../../src/batch/batcher.ts';

const LIMITS = { rowsMax: 10, bytesMax: 100, flushMs: 500 };

test('one item more than the rows or bytes allow waits for the next range', () => {
  const batcher = createBatcher(LIMITS);
  batcher.add({ rows: 6, bytes: 60 }, 0);
  assert.equal(batcher.isFullFor({ rows: 4, bytes: 40 }), false);
  assert.equal(batcher.isFullFor({ rows: 5, bytes: 1 }), true);
  assert.equal(batcher.isFullFor({ rows: 1, bytes: 41 }), true);
});

test('an item larger than every limit goes alone', () => {
  assert.equal(createBatcher(LIMITS).isFullFor({ rows: 11, bytes: 1000 }), false);
});

test('the oldest item waits for the flush time and no longer', () => {
  const batcher = createBatcher(LIMITS);
  assert.equal(batcher.waitMs(0), Number.POSITIVE_INFINITY);
  batcher.add({ rows: 1, bytes: 1 }, 1000);
  batcher.add({ rows: 1, bytes: 1 }, 1400);
  assert.equal(batcher.waitMs(1400), 100);
  assert.equal(batcher.waitMs(1600), 0);
  batcher.clear();
  assert.equal(batcher.isEmpty, true);
});
