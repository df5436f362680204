import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { keepUpWith } from '../src/kept.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tcptrail-kept-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The text of a file, of which `unfit` is none; what was told; how often it was read. */
function kept(file: string) {
  const told: string[] = [];
  let reads = 0;
  const now = keepUpWith([file], {
    read() {
      reads += 1;
      const text = readFileSync(file, 'utf8');
      if (text === 'unfit') throw new AppError('UNFIT', `${text} no. ${reads}`);
      return text;
    },
    onUnfit: (error) => told.push(error.message),
  });
  return { now, told, reads: () => reads };
}

test('a file is read when it changed, and only then', () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'one');
  const { now, reads } = kept(file);
  assert.deepEqual([now(), now(), reads()], ['one', 'one', 1]);
  writeFileSync(file, 'two');
  assert.deepEqual([now(), now(), reads()], ['two', 'two', 2]);
});

test('a file behind a link that is turned, as Kubernetes does it, is another one', () => {
  writeFileSync(join(folder, 'one'), 'one');
  writeFileSync(join(folder, 'two'), 'two');
  const link = join(folder, 'link');
  symlinkSync('one', link);
  const { now } = kept(link);
  assert.equal(now(), 'one');
  symlinkSync('two', join(folder, 'new'));
  renameSync(join(folder, 'new'), link);
  assert.equal(now(), 'two');
});

test('what is unfit is told once for each change, and the former stays until it is mended', () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'one');
  const { now, told } = kept(file);
  writeFileSync(file, 'unfit');
  assert.deepEqual([now(), now(), told], ['one', 'one', ['unfit no. 2']]);
  rmSync(file);
  assert.equal(now(), 'one');
  assert.match(told[1] ?? '', /ENOENT/);
  writeFileSync(file, 'two');
  assert.deepEqual([now(), told.length], ['two', 2]);
});

test('a folder that refuses to tell of a file is told once, and the former stays until it is mended', () => {
  const inner = join(folder, 'inner');
  const file = join(inner, 'file');
  mkdirSync(inner);
  writeFileSync(file, 'one');
  const { now, told } = kept(file);
  rmSync(inner, { recursive: true });
  // Root may look into every folder, but not through a link to itself.
  symlinkSync(inner, inner);
  assert.deepEqual([now(), now(), told.length], ['one', 'one', 1]);
  assert.match(told[0] ?? '', /ELOOP/);
  rmSync(inner);
  mkdirSync(inner);
  writeFileSync(file, 'two');
  assert.deepEqual([now(), told.length], ['two', 1]);
});

test('what is unfit at the start is thrown', () => {
  writeFileSync(join(folder, 'file'), 'unfit');
  assert.throws(() => kept(join(folder, 'file')), { code: 'UNFIT' });
});
