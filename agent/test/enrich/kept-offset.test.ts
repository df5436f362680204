import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createKeptOffset } from '../../src/enrich/kept-offset.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('an offset is kept for its boot alone', (t) => {
  const folder = tempFolder(t);
  const file = join(folder, 'clock.json');
  const kept = createKeptOffset({ file, bootId: 'boot-1' });
  assert.equal(kept.read(), undefined);
  assert.equal(kept.write(1_700_000_000_000_001), true);
  assert.equal(kept.write(1_700_000_000_000_002), true);
  assert.equal(createKeptOffset({ file, bootId: 'boot-1' }).read(), 1_700_000_000_000_002);
  assert.equal(createKeptOffset({ file, bootId: 'boot-2' }).read(), undefined);
  assert.deepEqual(readdirSync(folder), ['clock.json']);
});

test('a file that is damaged counts as none, and is replaced', (t) => {
  const file = join(tempFolder(t), 'clock.json');
  const kept = createKeptOffset({ file, bootId: 'boot' });
  for (const text of [
    '',
    '{"boot_id":"boot","offs',
    'null',
    '[]',
    '{"boot_id":"boot"}',
    '{"boot_id":"boot","offset_us":"1"}',
    '{"boot_id":"boot","offset_us":1.5}',
  ]) {
    writeFileSync(file, text);
    assert.equal(kept.read(), undefined, text);
  }
  assert.equal(kept.write(5), true);
  assert.equal(kept.read(), 5);
});

test('a folder that is gone refuses, and nothing is thrown', (t) => {
  const kept = createKeptOffset({ file: join(tempFolder(t), 'gone', 'clock.json'), bootId: 'boot' });
  assert.equal(kept.write(5), false);
  assert.equal(kept.read(), undefined);
});
