import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../src/spool/make-folder.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('parents are made, and what is there stays', (t) => {
  const path = join(tempFolder(t), 'a', 'b', 'c');
  makeFolder(path);
  makeFolder(path);
  assert.ok(statSync(path).isDirectory());
});

test('a file system that takes no folders ends it with an error', () => {
  assert.throws(() => makeFolder('/proc/tcptrail/spool'), { code: 'ENOENT' });
});
