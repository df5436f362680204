import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVarintReader } from '../src/varint-reader.ts';

const list = (...bytes: number[]) => createVarintReader().list(Uint8Array.from(bytes), 0, 'list');

test('an array comes in blocks, with their size or without, up to one of no items', () => {
  assert.deepEqual(list(0), []);
  assert.deepEqual(list(4, 2, 4, 0), [1, 2]);
  assert.deepEqual(list(2, 2, 3, 4, 6, 8, 0), [1, 3, 4]);
});

test('no count is more than the bytes there are, whatever its low half says', () => {
  // -(2^32): all of it is in the high half.
  const minus = [0xff, 0xff, 0xff, 0xff, 0x1f];
  const plus = [0x80, 0x80, 0x80, 0x80, 0x20];
  for (const count of [minus, plus, [8], [0x80, 0x80, 0x80, 0x80, 0x10]])
    assert.throws(() => list(...count, 0, 2, 0), { code: 'DECODE_RANGE' }, String(count));
});
