import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLru } from '../../src/enrich/lru.ts';

test('the entry not asked for the longest goes first', () => {
  const lru = createLru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  lru.get('a');
  lru.set('c', 3);
  assert.deepEqual([lru.get('a'), lru.get('b'), lru.get('c'), lru.size], [1, undefined, 3, 2]);
});
