import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeEnvelope, encodeBatch } from '@tcptrail/schemas/batch.ts';
import { BATCH_TYPE, plain } from '../../test/avsc-oracle.ts';
import { sampleEnvelope } from '../../test/sample-batch.ts';

const NO_EVENTS = { bytes: new Uint8Array(0), count: 0 };

test('avsc and the envelope encoder agree byte for byte', () => {
  const envelope = sampleEnvelope();
  const datum = encodeBatch(envelope, NO_EVENTS);
  const read = plain(BATCH_TYPE.fromBuffer(Buffer.from(datum)));
  assert.deepEqual(read, plain({ ...envelope, events: [] }));
});

test('an envelope decodes to what was encoded', () => {
  const envelope = sampleEnvelope({ maybe_duplicate: true, health: null, labels: {}, batch_part: 5 });
  const { envelope: decoded, events } = decodeEnvelope(encodeBatch(envelope, NO_EVENTS));
  assert.deepEqual(decoded, envelope);
  assert.equal(events.count, 0);
});

test('a batch that cannot be encoded leaves nothing in the next one', () => {
  const expected = encodeBatch(sampleEnvelope(), NO_EVENTS);
  for (const wrong of [{ batch_seq: Number.NaN }, { kernel_epoch: 2 ** 53 }, { kernel_release: undefined }]) {
    const envelope = { ...sampleEnvelope(), ...wrong } as ReturnType<typeof sampleEnvelope>;
    assert.throws(() => encodeBatch(envelope, NO_EVENTS), TypeError);
    assert.deepEqual(encodeBatch(sampleEnvelope(), NO_EVENTS), expected);
  }
});

test('the first byte of a batch is maybe_duplicate', () => {
  const datum = encodeBatch(sampleEnvelope(), NO_EVENTS);
  datum[0] = 1;
  assert.equal(decodeEnvelope(datum).envelope.maybe_duplicate, true);
});

test('every shortened batch is refused with a code, never with garbage', () => {
  const datum = encodeBatch(sampleEnvelope(), NO_EVENTS);
  for (let length = 0; length < datum.length; length++) {
    assert.throws(() => decodeEnvelope(datum.subarray(0, length)), { code: /^DECODE_/ }, `length ${length}`);
  }
});

test('a number that its column cannot hold is refused', () => {
  const account = sampleEnvelope().cpus[0];
  assert.ok(account);
  for (const wrong of [{ cpu: 65_536 }, { rows: -1 }]) {
    const datum = encodeBatch(sampleEnvelope({ cpus: [{ ...account, ...wrong }] }), NO_EVENTS);
    assert.throws(() => decodeEnvelope(datum), { code: 'DECODE_RANGE' }, JSON.stringify(wrong));
  }
});

test('bytes after the batch are refused', () => {
  const datum = Buffer.concat([encodeBatch(sampleEnvelope(), NO_EVENTS), Buffer.from([0])]);
  assert.throws(() => decodeEnvelope(datum), { code: 'DECODE_TRAILING' });
});
