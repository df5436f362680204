import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { createSpool } from '../../../test/spool-writer.ts';
import { type Verified, verifySpool } from '../../src/spool/verify.ts';

/** A spool of two segments with three batches each, and where the batches of the first end, its header before them. */
function spoolOfSix() {
  const spool = createSpool();
  const first = spool.file;
  const ends = [readFileSync(first).length];
  for (let batch = 1; batch <= 3; batch++) {
    spool.batch(4);
    ends.push(readFileSync(first).length);
  }
  spool.rotate();
  for (let batch = 4; batch <= 6; batch++) spool.batch(4);
  return { spool, first, ends, second: spool.file };
}

const verified = (path: string): Verified[] => [...verifySpool(path)];
const told = ({ batches, rows, damages }: Verified): unknown[] => [
  batches,
  rows,
  damages.map(({ reason, from, bytes }) => [reason, from, bytes]),
];

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 0x04;
  writeFileSync(file, bytes);
}

test('a spool without damage has none', () => {
  const { spool } = spoolOfSix();
  mkdirSync(join(spool.path, 'cursor'));
  writeFileSync(join(spool.path, 'cursor/a.json'), '{"segment":"","position":0}');
  assert.deepEqual(verified(spool.path).map(told), [
    [3, 12, []],
    [3, 12, []],
    [0, 0, []],
  ]);
});

test('a flipped bit within a block is told with the place of the block, and the others are read', () => {
  const { spool, first, ends } = spoolOfSix();
  const [, from = 0, to = 0] = ends;
  flip(first, Math.floor((from + to) / 2));
  const [one, two] = verified(spool.path);
  assert.deepEqual(one && told(one), [2, 8, [['SEGMENT_CORRUPT', from, to - from]]]);
  assert.deepEqual(two && told(two), [3, 12, []]);
});

test('a damaged sync marker is told, and costs no row', () => {
  const { spool, first, ends } = spoolOfSix();
  flip(first, (ends[1] ?? 0) - 2);
  const [one] = verified(spool.path);
  assert.deepEqual(one && told(one), [3, 12, [['SEGMENT_CORRUPT', (ends[1] ?? 0) - 16, 16]]]);
});

test('any flipped bit of a segment is told, or harms nothing that was written', () => {
  const { spool, first } = spoolOfSix();
  const good = readFileSync(first);
  for (let at = 0; at < good.length; at += 211) {
    writeFileSync(first, good);
    flip(first, at);
    const [one] = verified(spool.path);
    assert.ok(one && (one.damages.length > 0 || one.rows === 12), `byte ${at}`);
  }
});

test('a torn end is damage, also of the newest segment when no agent writes it', () => {
  const { spool, first, ends, second } = spoolOfSix();
  truncateSync(first, (ends[3] ?? 0) - 7);
  truncateSync(second, readFileSync(second).length - 7);
  const all = verified(spool.path);
  const size = (ends[3] ?? 0) - (ends[2] ?? 0) - 7;
  assert.deepEqual(all[0] && told(all[0]), [2, 8, [['SEGMENT_TORN', ends[2], size]]]);
  assert.deepEqual(
    [all[1]?.batches, all[1]?.rows, all[1]?.damages.map(({ reason }) => reason)],
    [2, 8, ['SEGMENT_TORN']],
  );
  assert.equal(all[1]?.file, basename(second));
});

test('a whole block that is no batch is told, and so is a cursor that is none', () => {
  const { spool } = spoolOfSix();
  spool.datum(Buffer.from('no batch at all'));
  mkdirSync(join(spool.path, 'cursor'));
  writeFileSync(join(spool.path, 'cursor/a.json'), 'null');
  const [, two, cursor] = verified(spool.path);
  assert.deepEqual([two?.batches, two?.damages.length], [3, 1]);
  assert.match(two?.damages[0]?.reason ?? '', /^DECODE_/);
  assert.deepEqual(
    cursor?.damages.map(({ reason }) => reason),
    ['CURSOR_DAMAGED'],
  );
});
