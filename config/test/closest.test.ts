import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest } from '../src/closest.ts';

test('one letter in three may be added, lost, changed or swapped with its neighbour', () => {
  for (const word of ['spol', 'sspool', 'zpool', 'sopol']) assert.equal(closest(word, ['spool']), 'spool');
  for (const word of ['rowsmax', 'rows_max', 'owsMaxx', 'orwsMxa'])
    assert.equal(closest(word, ['rowsMax']), 'rowsMax');
});

test('what differs by three letters, or by more than a third, is another word', () => {
  assert.equal(closest('batchRowsMa', ['batchRowsMaxxx']), undefined);
  assert.equal(closest('home', ['name']), undefined);
  assert.equal(closest('sp', ['spo']), undefined);
});

test('the nearest of several wins, and the first of equals', () => {
  assert.equal(closest('rowsMaxx', ['rowMax', 'rowsMax']), 'rowsMax');
  assert.equal(closest('pat', ['path', 'pats']), 'path');
});
