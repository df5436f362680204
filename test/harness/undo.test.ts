import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUndo } from './undo.ts';

test('the last done is undone first, and each once', () => {
  const undone: string[] = [];
  const undo = createUndo();
  for (const name of ['one', 'two', 'three']) undo.push(() => undone.push(name));
  undo.all();
  undo.all();
  assert.deepEqual(undone, ['three', 'two', 'one']);
});

test('a step that fails does not keep the others from being tried, and is told', () => {
  const undone: string[] = [];
  const undo = createUndo();
  undo.push(() => undone.push('one'));
  for (const name of ['two', 'three'])
    undo.push(() => {
      throw new Error(`${name} is busy`);
    });
  undo.push(() => undone.push('four'));
  assert.throws(() => undo.all(), /three is busy/);
  assert.deepEqual(undone, ['four', 'one']);
});
