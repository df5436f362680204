import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { registerCodecs } from '../src/codecs.ts';
import { explain } from '../src/errors.ts';
import { PLAIN_BYTES_MAX } from '../src/zstd-frame.ts';

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

registerCodecs();
const { CompressionCodecs, CompressionTypes } = kafkajs;
const CODECS: readonly Codec[] = [
  CompressionCodecs[CompressionTypes.ZSTD](),
  CompressionCodecs[CompressionTypes.GZIP](),
];
const TEXT = Buffer.from(Array.from({ length: 5_000 }, (_, index) => `message ${index % 997}`).join('\n'));
const CONFIG = { brokers: ['b:9092'], sasl: {}, tls: {} } as unknown as Parameters<typeof explain>[1];

async function refusalOf(codec: Codec | undefined, bytes: Buffer): Promise<string> {
  const error: unknown = await codec?.decompress(bytes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error, 'refused');
  const { code, message } = explain(error, CONFIG, { topic: 't' });
  assert.equal(code, 'KAFKA_CODEC');
  return message;
}

test('what is compressed is decompressed as it was, up to the most', async () => {
  for (const codec of CODECS) {
    for (const buffer of [TEXT, Buffer.alloc(PLAIN_BYTES_MAX)]) {
      const plain = await codec.decompress(await codec.compress({ buffer }));
      assert.ok(plain.equals(buffer));
    }
  }
});

test('a few bytes that decompress to more than the most are refused, with what to do', async () => {
  for (const codec of CODECS) {
    const bomb = await codec.compress({ buffer: Buffer.alloc(PLAIN_BYTES_MAX + 1) });
    assert.match(
      await refusalOf(codec, bomb),
      /^topic t holds messages that are larger than 64 MiB .*--reset-offsets/,
    );
  }
});

test('no flipped bit of a frame gives other messages', async () => {
  const [zstd] = CODECS;
  assert.ok(zstd);
  const frame = await zstd.compress({ buffer: TEXT });
  for (let bit = 0; bit < 8 * frame.length; bit += 13) {
    const damaged = Buffer.from(frame);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const plain = await zstd.decompress(damaged).catch(() => undefined);
    assert.ok(plain === undefined || plain.equals(TEXT), `bit ${bit}`);
  }
  const middle = Buffer.from(frame).fill(0, frame.length >> 1, (frame.length >> 1) + 4);
  assert.match(await refusalOf(zstd, middle), /^topic t brought messages that are damaged \(/);
});
