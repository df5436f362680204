import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RING, RING_EVENT_BYTES, RING_LAYOUT } from '@tcptrail/schemas/generated/ring.ts';
import { parseRecordLayout } from '../../src/trace/record-layout.ts';

test('the layout says of each member where the code reads it', () => {
  const [bytes, ...members] = RING_LAYOUT.split(' ');
  assert.equal(Number(bytes), RING_EVENT_BYTES);
  const offsets = members.map((member) => member.split(':')).map(([name, offset]) => [name, Number(offset)]);
  assert.deepEqual(Object.fromEntries(offsets), RING);
});

test('records of this version are handed on as they are', () => {
  const onRecord = (): void => {};
  assert.equal(parseRecordLayout(RING_LAYOUT)?.translated(onRecord), onRecord);
});

test('members are taken over by name: moved, shorter, longer, unknown here and unknown there', () => {
  const layout = parseRecordLayout(
    '64 ts:8:8 seq:0:8 kind:16:1 cpu:17:1 local_port:18:8 of_theirs:26:4 comm:32:16',
  );
  assert.equal(layout?.recordBytes, 64);
  const theirs = new Uint8Array(128);
  const view = new DataView(theirs.buffer, 64);
  view.setBigUint64(8, 123n, true);
  view.setBigUint64(0, 456n, true);
  view.setUint8(16, 4);
  view.setUint8(17, 3);
  view.setBigUint64(18, 8_080n, true);
  view.setUint32(26, 0xffff_ffff, true);
  Buffer.from(theirs.buffer, 64 + 32).write('curl');
  const records: Buffer[] = [];
  const take = layout?.translated((words, bytes, at) => {
    assert.equal(words.buffer, bytes.buffer);
    records.push(Buffer.from(bytes.slice(at, at + RING_EVENT_BYTES)));
  });
  take?.(new Uint32Array(theirs.buffer), theirs, 64);
  take?.(new Uint32Array(theirs.buffer), new Uint8Array(128), 0);
  const [record, empty] = records;
  assert.equal(record?.readBigUInt64LE(RING.ts), 123n);
  assert.equal(record?.readBigUInt64LE(RING.seq), 456n);
  assert.deepEqual(
    [record?.[RING.kind], record?.readUInt16LE(RING.cpu), record?.readUInt16LE(RING.local_port)],
    [4, 3, 8_080],
  );
  assert.equal(record?.toString('latin1', RING.comm, RING.comm + 5), 'curl\0');
  const known = [RING.ts, RING.seq, RING.kind, RING.cpu, RING.local_port, RING.comm];
  assert.ok(
    known.every((at) => record?.[at] !== 0),
    'what is not known there is what is left',
  );
  assert.equal(
    record?.reduce((count, byte) => count + Number(byte !== 0), 0),
    1 + 2 + 1 + 1 + 2 + 4,
  );
  assert.ok(
    empty?.every((byte) => byte === 0),
    'nothing of the record before is left',
  );
});

for (const [what, text] of [
  ['a text that is no layout', 'x'],
  ['an empty one', ''],
  ['one without numbers of events', '16 ts:0:8 kind:8:1 cpu:9:2'],
  ['one whose member ends behind the record', '32 ts:0:8 seq:8:8 kind:16:1 cpu:31:2'],
  ['records that do not stand on 8 bytes', '31 ts:0:8 seq:8:8 kind:16:1 cpu:17:2'],
] as const)
  test(`${what} is not understood`, () => assert.equal(parseRecordLayout(text), undefined));
