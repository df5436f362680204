import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from '@tcptrail/schemas/single-object.ts';
import { datumOf } from '../../../test/spool-writer.ts';
import { createBatcher } from '../../src/batch/batcher.ts';
import { lettersOf } from '../../src/consume/dead-letter.ts';
import { digestOf, rangesOf } from '../../src/consume/kafka-batch.ts';

const PLACE = { origin: 'topic', originPartition: 3 };
const rowsOf = (rows: number) =>
  frame(
    datumOf(
      {},
      Array.from({ length: rows }, (_, index) => ({ seq: index + 1 })),
    ),
  );
const fetched = (...values: (Buffer | null)[]) =>
  values.map((value, index) => ({ offset: String(10 + index), key: null, value }));
const fill = (rowsMax: number) => createBatcher({ rowsMax, bytesMax: 1_000_000_000, flushMs: 0 });

test('messages are cut into ranges by rows, in order, and none is left out', () => {
  const ranges = [
    ...rangesOf(fetched(rowsOf(4), rowsOf(4), rowsOf(4), rowsOf(20), rowsOf(1)), PLACE, fill(10)),
  ];
  assert.deepEqual(
    ranges.map(({ messages, lastOffset }) => [messages.map(({ offset }) => offset), lastOffset]),
    [
      [[10, 11], '11'],
      [[12], '12'],
      [[13], '13'],
      [[14], '14'],
    ],
  );
});

test('what is no batch is parked with its place and why, and the range still reaches its end', () => {
  const strange = Buffer.from('strange');
  const [range, ...more] = rangesOf(fetched(rowsOf(1), null, strange), PLACE, fill(10));
  assert.deepEqual(more, []);
  assert.equal(range?.lastOffset, '12');
  assert.deepEqual(
    range?.parked.map(({ origin, originPartition, originOffset, reason }) => [
      origin,
      originPartition,
      originOffset,
      reason,
    ]),
    [
      ['topic', 3, 11, 'FRAME_UNKNOWN'],
      ['topic', 3, 12, 'FRAME_UNKNOWN'],
    ],
  );
});

test('the time of a message is that of the broker only where its clock stamped it, for a letter as well', () => {
  const stamped = [0, 1].map((timestampType, index) => ({
    offset: String(index),
    key: null,
    value: rowsOf(1),
    timestamp: '1790000000123',
    batchContext: { timestampType },
  }));
  const [range] = rangesOf(stamped, PLACE, fill(10));
  assert.deepEqual(
    range?.messages.map(({ brokerTs }) => brokerTs),
    [undefined, 1_790_000_000_123_000],
  );
  const identity = { hostId: '', agentEpoch: 0, batchSeq: 0 };
  const parked = [0, 1].map((originOffset) => ({
    ...PLACE,
    originOffset,
    identity,
    reason: 'x',
    detail: 'x',
  }));
  assert.deepEqual(
    lettersOf(stamped, parked).map(({ brokerTs }) => brokerTs),
    [undefined, 1_790_000_000_123_000],
  );
});

test('nothing fetched is no range', () => {
  assert.deepEqual([...rangesOf([], PLACE, fill(10))], []);
});

test('the digest is of the bytes, their order and their places, whether they can be read or not', () => {
  const [one, two, none] = [rowsOf(1), Buffer.from('strange'), null];
  const digest = digestOf(fetched(one, two, none));
  assert.equal(digestOf(fetched(Buffer.from(one), Buffer.from(two), none)), digest);
  for (const other of [
    fetched(one, two),
    fetched(two, one, none),
    fetched(one, Buffer.from('stranger'), none),
    fetched(one, two, Buffer.alloc(0)),
    fetched(one, two, none).map((each) => ({ ...each, offset: `1${each.offset}` })),
  ])
    assert.notEqual(digestOf(other), digest);
});
