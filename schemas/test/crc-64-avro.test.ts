import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crc64Avro } from '@tcptrail/schemas/crc-64-avro.ts';
import { frame, unframe } from '@tcptrail/schemas/single-object.ts';

test('fingerprints are those of the Avro specification', () => {
  // The specification's values, in wire order.
  assert.equal(crc64Avro(Buffer.from('"null"')), '8a8f25cce724dd63');
  assert.equal(crc64Avro(Buffer.from('"boolean"')), '64f7d4a478fc429f');
  assert.equal(crc64Avro(Buffer.from('"int"')), '8f5c393f1ad57572');
});

test('a framed datum comes back with the fingerprint of the schema', () => {
  const { fingerprint, datum } = unframe(frame(Uint8Array.of(1, 2, 3)));
  assert.deepEqual([...datum], [1, 2, 3]);
  assert.match(
    readFileSync(new URL('../src/generated/fingerprints.ts', import.meta.url), 'utf8'),
    new RegExp(fingerprint),
  );
});

test('bytes that are no single-object encoding are refused', () => {
  assert.throws(() => unframe(Uint8Array.of(0xc3, 0x02, 0, 0, 0, 0, 0, 0, 0, 0)), { code: 'FRAME_UNKNOWN' });
  assert.throws(() => unframe(Uint8Array.of(0xc3, 0x01)), { code: 'FRAME_UNKNOWN' });
});
