import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { spoolLag } from '../../src/supervise/spool-lag.ts';

let spool = '';
beforeEach(() => {
  spool = mkdtempSync(join(tmpdir(), 'tcptrail-lag-'));
  mkdirSync(join(spool, 'cursor'));
  writeFileSync(join(spool, '0000000000000001-00000001.avro'), Buffer.alloc(100));
  writeFileSync(join(spool, '0000000000000001-00000002.avro'), Buffer.alloc(50));
  writeFileSync(join(spool, 'lock'), 'no segment');
});
afterEach(() => rmSync(spool, { recursive: true }));

const cursor = (reader: string, text: string): void =>
  writeFileSync(join(spool, 'cursor', `${reader}.json`), text);

test('without a reader everything waits', () => {
  assert.deepEqual(spoolLag(spool), { bytes: 150, readers: 0 });
});

test('the slowest reader counts', () => {
  cursor('fast', '{"segment":"0000000000000001-00000002.avro","position":50}');
  assert.deepEqual(spoolLag(spool), { bytes: 0, readers: 1 });
  cursor('slow', '{"segment":"0000000000000001-00000001.avro","position":90}');
  assert.deepEqual(spoolLag(spool), { bytes: 60, readers: 2 });
});

test('a cursor that does not parse holds everything', () => {
  cursor('torn', '{"segm');
  assert.deepEqual(spoolLag(spool), { bytes: 150, readers: 1 });
});
