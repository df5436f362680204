import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { createSpool, NOW_US } from '../../test/spool-writer.ts';
import { type ChainRead, openSegmentChain, type SegmentChain } from '../src/segment-chain.ts';

/** What the chain gives until it has nothing more: batch numbers, and damage by its reason and size. */
function readAll(chain: SegmentChain): (number | string)[] {
  const seen: (number | string)[] = [];
  for (let read: ChainRead = chain.next(); read.kind !== 'nothing'; read = chain.next()) {
    if (read.kind === 'batch') seen.push(decodeEnvelope(read.datum).envelope.batch_seq);
    else seen.push(`${read.reason} ${read.bytes.length}`);
  }
  return seen;
}

const sizeOf = (file: string): number => readFileSync(file).length;

test('batches come in order over segments and runs, and new ones as they are appended', () => {
  const spool = createSpool();
  spool.batch();
  spool.rotate();
  spool.batch();
  const chain = openSegmentChain(spool.path, undefined);
  assert.deepEqual(readAll(chain), [1, 2]);
  spool.batch();
  assert.deepEqual(readAll(chain), [3]);
  spool.restart(NOW_US + 1);
  spool.batch();
  assert.deepEqual(readAll(chain), [1]);
  chain.close();
});

test('an unfinished block at the end of the newest segment is waited for', () => {
  const spool = createSpool();
  spool.batch();
  const whole = sizeOf(spool.file);
  spool.batch();
  const bytes = readFileSync(spool.file);
  truncateSync(spool.file, bytes.length - 9);
  const chain = openSegmentChain(spool.path, undefined);
  assert.deepEqual(readAll(chain), [1]);
  assert.equal(chain.place?.position, whole);
  writeFileSync(spool.file, bytes);
  assert.deepEqual(readAll(chain), [2]);
  chain.close();
});

test('an unfinished block at the end of a segment that has a successor is damage, whole and named torn', () => {
  const spool = createSpool();
  spool.batch();
  const whole = sizeOf(spool.file);
  spool.batch();
  const torn = sizeOf(spool.file) - 9;
  truncateSync(spool.file, torn);
  spool.restart(NOW_US + 1);
  spool.batch();
  const chain = openSegmentChain(spool.path, undefined);
  assert.deepEqual(readAll(chain), [1, `SEGMENT_TORN ${torn - whole}`, 1]);
  chain.close();
});

test('every bit of a finished segment header may flip: its batches are still read, or are damage, never passed over', () => {
  const spool = createSpool();
  const header = sizeOf(spool.file);
  spool.batch();
  spool.batch();
  const [file, good] = [spool.file, readFileSync(spool.file)];
  spool.rotate();
  spool.batch();
  for (let at = 0; at < header; at += 37) {
    const bytes = Buffer.from(good);
    bytes[at] = (bytes[at] ?? 0) ^ 0x40;
    writeFileSync(file, bytes);
    const chain = openSegmentChain(spool.path, undefined);
    const seen = readAll(chain);
    chain.close();
    assert.equal(seen.at(-1), 3, `byte ${at}`);
    const isWhole = seen.length === 3 && seen[0] === 1 && seen[1] === 2;
    assert.ok(isWhole || seen.some((read) => typeof read === 'string'), `byte ${at}: ${seen.join()}`);
  }
});

test('a segment that is gone is passed, and a cursor beyond the end of its segment begins it anew', () => {
  const spool = createSpool();
  spool.batch();
  const first = spool.file;
  spool.rotate();
  spool.batch();
  const beyond = openSegmentChain(spool.path, { segment: basename(first), position: 99_999_999 });
  assert.equal(beyond.isCursorLost, true);
  assert.deepEqual(readAll(beyond), [1, 2]);
  beyond.close();
  unlinkSync(first);
  const gone = openSegmentChain(spool.path, { segment: basename(first), position: 10 });
  assert.equal(gone.isCursorLost, true);
  assert.deepEqual(readAll(gone), [2]);
  gone.close();
});

test('what cannot be read ends in one sentence that names it', () => {
  const spool = createSpool();
  spool.batch();
  mkdirSync(`${spool.path}/9999999999999999-00000001.avro`);
  const chain = openSegmentChain(spool.path, undefined);
  assert.equal(chain.next().kind, 'batch');
  assert.throws(() => chain.next(), {
    code: 'SPOOL_SEGMENT',
    message: /9999999999999999-00000001\.avro cannot be read/,
  });
  chain.close();
});
