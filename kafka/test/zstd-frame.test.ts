import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createZstdCompress, zstdCompressSync } from 'node:zlib';
import { plainBytesOf } from '../src/zstd-frame.ts';

const MIB = 1024 * 1024;

test('a frame tells how much it holds, whatever the width of its size', () => {
  for (const bytes of [65_700, 70_000, 3 * MIB])
    assert.equal(plainBytesOf(zstdCompressSync(Buffer.alloc(bytes, 'abc'))), bytes);
});

test('a small frame gets the least, so that no piece is smaller', () => {
  for (const bytes of [0, 10, 300, 60_000])
    assert.equal(plainBytesOf(zstdCompressSync(Buffer.alloc(bytes, 'abc'))), 65_536);
});

test('a frame that does not tell is guessed by its length', async () => {
  const stream = createZstdCompress();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const random = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * index * 31) >> 5));
  // In two pieces: it cannot know the end when it begins.
  stream.write(random);
  stream.end(random);
  await new Promise((resolve) => stream.once('end', resolve));
  const frame = Buffer.concat(chunks);
  assert.equal(plainBytesOf(frame), Math.max(65_536, 6 * frame.length));
});

test('what is no frame, or says that it is huge, makes nobody allocate', () => {
  const huge = Buffer.concat([Buffer.from('28b52ffde0', 'hex'), Buffer.alloc(8, 0x7f)]);
  assert.equal(plainBytesOf(huge), 64 * MIB);
  for (const bytes of [Buffer.alloc(0), Buffer.from('28b52f'), huge.subarray(0, 9), Buffer.alloc(40)])
    assert.equal(plainBytesOf(bytes), 65_536);
});
