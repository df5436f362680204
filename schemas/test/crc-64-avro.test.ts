import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crc64Avro } from '@tcptrail/schemas/crc-64-avro.ts';
import { frame, unframe } from '@tcptrail/schemas/single-object.ts';

const hex = (value: string): string =>
  Buffer.from(BigInt(value).toString(16).padStart(16, '0'), 'hex').reverse().toString('hex');

test('fingerprints are those of the Avro specification', () => {
  // Values of the Avro project's schema-tests.txt.
  assert.equal(crc64Avro(Buffer.from('"null"')), hex('7195948357979300051'));
  assert.equal(
    crc64Avro(Buffer.from('"boolean"')),
    hex((-6970731678124411036n & 0xffffffffffffffffn).toString()),
  );
  assert.equal(crc64Avro(Buffer.from('"int"')), hex('8247732601305521295'));
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
