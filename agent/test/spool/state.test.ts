import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StateFile } from '../../src/spool/state.ts';
import { createStateFile } from '../../src/spool/state.ts';
import { tempFolder } from '../support/temp-folder.ts';

function loaded(file: string): StateFile {
  const state = createStateFile(file);
  state.load();
  return state;
}

test('what was changed is there for the next run', (t) => {
  const file = join(tempFolder(t), 'state.json');
  loaded(file).change({ dropped: { 5: { 0: 3 } }, dropping: 'x' });
  loaded(file).change({ dropping: '' });
  assert.deepEqual(loaded(file).value, { dropped: { 5: { 0: 3 } }, ended: {}, dropping: '' });
});

test('a damaged file counts as empty', (t) => {
  const file = join(tempFolder(t), 'state.json');
  writeFileSync(file, '{"dropped":');
  assert.deepEqual(loaded(file).value, { dropped: {}, ended: {}, dropping: '' });
});

test('a change that cannot be written is not made', (t) => {
  const state = createStateFile(join(tempFolder(t), 'none', 'state.json'));
  assert.throws(() => state.change({ dropping: 'x' }));
  assert.equal(state.value.dropping, '');
});

test('only the newest kernel epochs are kept', (t) => {
  const state = createStateFile(join(tempFolder(t), 'state.json'));
  state.change({ ended: Object.fromEntries(Array.from({ length: 100 }, (_, epoch) => [epoch, []])) });
  const epochs = Object.keys(state.value.ended).map(Number);
  assert.deepEqual([epochs.length, Math.min(...epochs), Math.max(...epochs)], [64, 36, 99]);
});
