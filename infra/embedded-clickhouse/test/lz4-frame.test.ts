import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { createLz4Decompressor } from '../src/lz4-frame.ts';

const hasLz4 = spawnSync('lz4', ['--version']).status === 0;

async function decompress(frame: Uint8Array, pieceBytes: number): Promise<Buffer> {
  const pieces = Array.from({ length: Math.ceil(frame.length / pieceBytes) }, (_, i) =>
    Buffer.from(frame.subarray(i * pieceBytes, (i + 1) * pieceBytes)),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of Readable.from(pieces).pipe(createLz4Decompressor())) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What `lz4 -c` makes of "abcabcabcabcabcabc\n". */
const SMALL = Buffer.from('04224d186440a70c00000037616263030050636162630a00000000c447c9c2', 'hex');

test('a match may overlap the bytes it makes', async () => {
  assert.equal((await decompress(SMALL, 3)).toString(), 'abcabcabcabcabcabc\n');
});

const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i}\trow ${i % 7}\n`).join(''));
const noise = Buffer.from(
  Array.from({ length: 200_000 }, (_, i) => (Math.imul(i ^ (i >>> 7), 2_654_435_761) >>> 13) & 255),
);
const variants: Readonly<Record<string, readonly string[]>> = {
  'linked blocks': ['-BD', '-B4'],
  'independent blocks': ['-B4'],
  'block checksums and content size': ['-B4', '-BX', '--content-size'],
  'blocks of 4 MB at high compression': ['-B7', '-9'],
};

for (const [name, options] of Object.entries(variants)) {
  test(`frames of the lz4 tool decompress: ${name}`, {
    skip: hasLz4 ? false : 'no lz4 program',
  }, async () => {
    for (const plain of [text, noise, Buffer.alloc(300_000), Buffer.alloc(0)]) {
      const frame = execFileSync('lz4', ['-cq', ...options], { input: plain, maxBuffer: 1 << 26 });
      assert.ok((await decompress(frame, 1000)).equals(plain));
      assert.ok(
        (await decompress(Buffer.concat([frame, frame]), 1 << 20)).equals(Buffer.concat([plain, plain])),
      );
      await assert.rejects(decompress(frame.subarray(0, -1), 1000), /cut short/);
    }
  });
}

test('bytes that are no frame are refused', async () => {
  await assert.rejects(decompress(Buffer.from('1,2,3\n4,5,6\n'), 100), /wrong magic number/);
});
