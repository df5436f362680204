import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSync, readBlock, readHeader, writeBlock, writeHeader } from '@tcptrail/schemas/container.ts';
import { createRandom } from '../../test/random.ts';

const SYNC = Uint8Array.from({ length: 16 }, (_, index) => index * 11 + 3);
const random = createRandom(7);
const DATA = [40, 900, 5000].map((size) => Uint8Array.from({ length: size }, () => random.below(64)));

function segment(): { bytes: Buffer; starts: number[] } {
  const pieces = [writeHeader({ schema: '{"type":"bytes"}', sync: SYNC })];
  const starts: number[] = [];
  for (const datum of DATA) {
    starts.push(Buffer.concat(pieces).length);
    pieces.push(writeBlock(datum, SYNC));
  }
  return { bytes: Buffer.concat(pieces), starts };
}

/** Reads on after damage as a reader of the spool does. */
function readAll(bytes: Uint8Array): { data: Uint8Array[]; damaged: number; header: boolean } {
  const data: Uint8Array[] = [];
  let damaged = 0;
  let header: ReturnType<typeof readHeader>;
  try {
    header = readHeader(bytes);
  } catch {
    header = undefined;
  }
  if (!header) return { data, damaged: 1, header: false };
  let position = header.end;
  while (position < bytes.length) {
    try {
      const block = readBlock(bytes, position, header.sync);
      if (block.kind === 'incomplete') return { data, damaged: damaged + 1, header: true };
      data.push(block.datum);
      position = block.next;
    } catch {
      damaged += 1;
      const next = findSync(bytes, position, header.sync);
      if (next < 0) return { data, damaged, header: true };
      position = next;
    }
  }
  return { data, damaged, header: true };
}

test('a segment gives back its header and its data', () => {
  const { bytes } = segment();
  const header = readHeader(bytes);
  assert.equal(header?.schema, '{"type":"bytes"}');
  assert.deepEqual(header?.sync, SYNC);
  assert.deepEqual(
    readAll(bytes).data.map((datum) => [...datum]),
    DATA.map((datum) => [...datum]),
  );
});

test('a segment cut anywhere yields its whole blocks and no others', () => {
  const { bytes, starts } = segment();
  const ends = [...starts.slice(1), bytes.length];
  for (let length = starts[0] ?? 0; length < bytes.length; length += 7) {
    const whole = ends.filter((end) => end <= length).length;
    assert.equal(readAll(bytes.subarray(0, length)).data.length, whole, `cut at ${length}`);
  }
});

test('an unfinished header is waited for', () => {
  const { bytes, starts } = segment();
  for (let length = 0; length < (starts[0] ?? 0); length++)
    assert.equal(readHeader(bytes.subarray(0, length)), undefined);
});

test('a flipped bit never yields a datum that was not written', () => {
  const { bytes, starts } = segment();
  const written = new Set(DATA.map((datum) => Buffer.from(datum).toString('hex')));
  let detected = 0;
  for (let at = starts[0] ?? 0; at < bytes.length; at += 3) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << random.below(8));
    const read = readAll(damaged);
    for (const datum of read.data) assert.ok(written.has(Buffer.from(datum).toString('hex')), `byte ${at}`);
    if (read.damaged > 0) {
      detected += 1;
      assert.ok(read.data.length >= DATA.length - 1, `byte ${at}: more lost than the damaged block`);
    } else {
      assert.equal(read.data.length, DATA.length, `byte ${at}: a block is missing without a word`);
    }
  }
  assert.ok(detected > 0);
});

test('a damaged sync marker costs no block, and is told', () => {
  const { bytes, starts } = segment();
  for (const at of [(starts[0] ?? 0) - 3, (starts[1] ?? 0) - 9, bytes.length - 1]) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    assert.equal(readAll(damaged).data.length, DATA.length);
    const { sync } = readHeader(damaged) ?? { sync: SYNC };
    const marked = starts.map((start) => {
      const block = readBlock(damaged, start, sync);
      return block.kind === 'block' && block.isMarked;
    });
    assert.ok(marked.includes(false));
  }
});

test('a file that is no Avro container is refused', () => {
  assert.throws(() => readHeader(Buffer.from('PAR1 something')), { code: 'SEGMENT_CORRUPT' });
});
