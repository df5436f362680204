import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSpoolFolder } from '../../src/spool/folder.ts';
import { needsRoot } from '../support/needs-root.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

test('the folder is closed to others, and its readers can write only what is theirs', needsRoot, (t) => {
  const path = join(tempFolder(t), 'spool');
  const groupFile = join(tempFolder(t), 'group');
  writeFileSync(groupFile, 'root:x:0:\ntcptrail:x:4242:\n');
  createSpoolFolder(path, { groupFile }).make();
  assert.deepEqual(
    [mode(path), mode(join(path, 'cursor')), mode(join(path, 'set-aside'))],
    ['750', '2770', '2770'],
  );
  assert.deepEqual([statSync(path).gid, statSync(join(path, 'cursor')).gid], [4242, 4242]);
});

test('a path that is no folder is refused in one sentence', (t) => {
  const path = join(tempFolder(t), 'file');
  writeFileSync(path, '');
  assert.throws(() => createSpoolFolder(path).make(), {
    code: 'AGENT_SPOOL_UNUSABLE',
    message: /file.*EEXIST|ENOTDIR/,
  });
});

test('the reader furthest behind comes first, an unreadable cursor before all', (t) => {
  const folder = createSpoolFolder(tempFolder(t));
  folder.make();
  const write = (reader: string, text: string): void =>
    writeFileSync(join(folder.path, 'cursor', reader), text);
  assert.deepEqual(folder.cursors(), []);
  write('b.json', '{"segment":"2","position":7}');
  write('a.json', '{"segment":"2","position":60}');
  write('a.json.new', 'half a li');
  assert.deepEqual(
    folder.cursors().map((cursor) => cursor.position),
    [7, 60],
  );
  write('c.json', 'half a li');
  assert.deepEqual(folder.cursors()[0], { segment: '', position: 0 });
});

test('segments are listed in the order of writing with their sizes', (t) => {
  const folder = createSpoolFolder(tempFolder(t));
  folder.make();
  mkdirSync(join(folder.path, 'other'));
  writeFileSync(join(folder.path, '0000000000000002-00000001.avro'), 'ab');
  writeFileSync(join(folder.path, '0000000000000001-00000002.avro'), 'a');
  assert.deepEqual(folder.segments(), [
    { name: '0000000000000001-00000002.avro', bytes: 1 },
    { name: '0000000000000002-00000001.avro', bytes: 2 },
  ]);
});
