import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAME_BYTES, frame } from '@tcptrail/schemas/single-object.ts';
import { datumOf, HOST } from '../../../test/spool-writer.ts';
import { read } from '../../src/dlq/reading.ts';

const EVENTS = 5;
const datum = Buffer.from(
  datumOf(
    { batch_seq: 7 },
    Array.from({ length: EVENTS }, (_, index) => ({ seq: index + 1 })),
  ),
);

test('a whole batch is read whole', () => {
  const { head, events, damage } = read({ form: 'message', value: frame(datum) });
  assert.deepEqual([head?.host_id, head?.batch_seq, events, damage], [HOST, 7, EVENTS, undefined]);
});

test('cut anywhere it gives a head only when that is whole, never more events than are, and where it ends', () => {
  const whole = frame(datum);
  let most = -1;
  for (let length = FRAME_BYTES; length < whole.length; length++) {
    const { head, events, damage } = read({ form: 'message', value: whole.subarray(0, length) });
    assert.ok(damage, `cut at ${length}`);
    assert.ok(events >= most, 'more bytes, no fewer events');
    if (!head) assert.equal(events, 0);
    most = events;
  }
  assert.ok(most >= EVENTS - 1 && most <= EVENTS);
});

test('other bytes, another schema and nothing at all have a sentence each', () => {
  const newer = frame(datum);
  newer[3] = (newer[3] ?? 0) ^ 0xff;
  assert.match(read({ form: 'message', value: Buffer.from('{}') }).damage?.sentence ?? '', /C3 01/);
  assert.match(
    read({ form: 'message', value: newer }).damage?.sentence ?? '',
    /^schema [0-9a-f]{16} is not known/,
  );
  assert.match(read({ form: 'message', value: null }).damage?.sentence ?? '', /no value/);
  assert.match(read({ form: 'damage', value: datum }).damage?.sentence ?? '', /no block/);
});
