import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordsOf, unreachedOf } from './unreached.ts';

test('records of a CPU are those there, those overwritten and those without room', () => {
  const stats =
    'entries: 7\noverrun: 20\ncommit overrun: 5\nbytes: 1320\ndropped events: 1\nread events: 0\n';
  assert.equal(recordsOf(stats), 28);
});

test('calls are unreached that were traced beyond the runs of the program that had the most', () => {
  const before = new Map([
    [1, 10],
    [2, 0],
  ]);
  const after = new Map([
    [1, 100],
    [2, 95],
    [3, 500],
  ]);
  assert.equal(unreachedOf(99, before, after), 4);
  assert.equal(unreachedOf(95, before, after), 0);
  assert.equal(unreachedOf(90, before, after), 0);
});

test('what was unreached is not known when no program stayed', () => {
  assert.equal(unreachedOf(5, new Map([[1, 0]]), new Map([[2, 5]])), undefined);
});
