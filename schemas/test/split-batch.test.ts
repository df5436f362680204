import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datumOf } from '../../test/spool-writer.ts';
import { decodeEnvelope } from '../src/batch.ts';
import { createEventColumns } from '../src/event-columns.ts';
import { partsAbove, splitBatch } from '../src/split-batch.ts';

const ORIGIN = { origin: 'test', origin_partition: 0, origin_offset: 1 };
const batch = (events: number) =>
  datumOf(
    {},
    Array.from({ length: events }, (_, index) => ({ seq: index + 1, cookie: index * 1_000_003 })),
  );

/** The events' own bytes, in order. */
function eventBytes(datum: Uint8Array): Buffer {
  const { events } = decodeEnvelope(datum);
  const countBytes = events.count < 64 ? 1 : 2;
  return Buffer.from(datum.subarray(events.offset + countBytes, events.end - 1));
}

test('both halves together hold every event once, byte for byte, under parts 2p and 2p + 1', () => {
  const whole = batch(101);
  const halves = splitBatch(whole) ?? [];
  assert.deepEqual(
    halves.map((half) => decodeEnvelope(half).envelope.batch_part),
    [2, 3],
  );
  assert.deepEqual(
    halves.map((half) => decodeEnvelope(half).events.count),
    [50, 51],
  );
  assert.deepEqual(Buffer.concat(halves.map(eventBytes)), eventBytes(whole));
  const columns = createEventColumns();
  for (const half of halves) columns.append(half, ORIGIN);
  assert.equal(
    [...columns.days().values()].reduce((sum, rows) => sum + rows, 0),
    101,
  );
});

test('a half is split on, and a batch of one event is not', () => {
  const [, second] = splitBatch(batch(3)) ?? [];
  assert.ok(second);
  const quarters = splitBatch(second) ?? [];
  assert.deepEqual(
    quarters.map((part) => decodeEnvelope(part).envelope.batch_part),
    [6, 7],
  );
  for (const quarter of quarters) assert.equal(splitBatch(quarter), undefined);
  assert.equal(splitBatch(batch(0)), undefined);
});

test('only the first half carries the health', () => {
  const [first, second] = splitBatch(batch(2)) ?? [];
  assert.ok(first && second);
  assert.notEqual(decodeEnvelope(first).envelope.health, null);
  assert.equal(decodeEnvelope(second).envelope.health, null);
});

test('the parts above a part lead to the whole batch', () => {
  assert.deepEqual(partsAbove(1), [1]);
  assert.deepEqual(partsAbove(13), [13, 6, 3, 1]);
});
