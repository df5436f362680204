import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { createZstdCompress, createZstdDecompress, zstdCompressSync } from 'node:zlib';
import { through } from '../../src/backup/through.ts';

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index) % 251));

test('what goes through zstd and back is what it was', async () => {
  const compressed = through(Readable.from([BYTES.subarray(0, 7), BYTES.subarray(7)]), createZstdCompress());
  assert.deepEqual(await buffer(through(compressed, createZstdDecompress())), BYTES);
});

test('a source that breaks off is an error of what is read', async () => {
  const source = Readable.from(
    (async function* () {
      yield BYTES;
      throw new Error('broken off');
    })(),
  );
  await assert.rejects(buffer(through(source, createZstdCompress())), /broken off/);
  await assert.rejects(buffer(through(Readable.from([Buffer.from('no zstd')]), createZstdDecompress())), /./);
});

test('a reader that ends early ends the source, and raises nothing', async () => {
  const source = Readable.from([zstdCompressSync(BYTES), Buffer.alloc(0)]);
  const given = through(source, createZstdDecompress());
  await once(given, 'readable');
  given.destroy();
  await once(given, 'close');
  assert.ok(source.destroyed);
});
