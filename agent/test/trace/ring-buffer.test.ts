import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRingBuffer, type RingBuffer } from '../../src/trace/ring-buffer.ts';

const SIZE = 128;
const RECORD = 16;
const TAKEN = RECORD + 8;
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;

/** A ring in plain memory. */
function ring(): {
  reader: RingBuffer;
  write: (value: number, flags?: number) => void;
  settle: (at: number) => void;
  /** Spoils the length of the record at `at`. */
  spoil: (at: number, length: number) => void;
} {
  const words = new Uint32Array(SIZE / 4);
  const consumer = new BigUint64Array(1);
  const producer = new BigUint64Array(1);
  const put = (position: number, value: number): void => {
    words[(position % SIZE) >> 2] = value;
  };
  let end = 0;
  return {
    reader: createRingBuffer({
      consumer,
      producer,
      words,
      bytes: new Uint8Array(words.buffer),
      size: SIZE,
      recordBytes: RECORD,
    }),
    write(value, flags = 0) {
      put(end, (RECORD | flags) >>> 0);
      for (let i = 0; i < RECORD / 4; i += 1) put(end + 8 + i * 4, value);
      end += TAKEN;
      producer[0] = BigInt(end);
    },
    settle: (at) => put(at, RECORD),
    spoil: put,
  };
}

function drained(reader: RingBuffer, upTo = reader.producerPosition()): number[] {
  const values: number[] = [];
  reader.drain(upTo, (words, bytes, at) => {
    const value = words[at >> 2] ?? -1;
    assert.equal(at % 8, 0);
    assert.deepEqual([...words.subarray(at >> 2, (at + RECORD) >> 2)], Array(RECORD / 4).fill(value));
    assert.equal(bytes[at], value);
    values.push(value);
  });
  return values;
}

test('records that wrap are handed out whole, in order, round after round', () => {
  const { reader, write } = ring();
  for (let value = 1; value <= 60; value += 1) {
    write(value);
    assert.deepEqual(drained(reader), [value]);
    reader.release();
  }
  assert.equal(reader.released, 60 * TAKEN);
});

test('a record still being written ends the drain until it is done', () => {
  const { reader, write, settle } = ring();
  write(1);
  write(2, BUSY);
  write(3);
  assert.deepEqual(drained(reader), [1]);
  assert.deepEqual(drained(reader), []);
  settle(TAKEN);
  assert.deepEqual(drained(reader), [2, 3]);
});

test('a record given up is passed over', () => {
  const { reader, write } = ring();
  write(1, DISCARDED);
  write(2);
  assert.deepEqual(drained(reader), [2]);
  assert.equal(reader.position, 2 * TAKEN);
});

test('nothing beyond the position asked for is read', () => {
  const { reader, write } = ring();
  write(1);
  write(2);
  assert.deepEqual(drained(reader, TAKEN), [1]);
});

test('room is given back only when told, and never room that was not read', () => {
  const { reader, write } = ring();
  write(1);
  write(2);
  drained(reader);
  assert.equal(reader.released, 0);
  assert.equal(reader.fill(), (2 * TAKEN) / SIZE);
  reader.release(TAKEN);
  assert.equal(reader.released, TAKEN);
  assert.throws(() => reader.release(0), RangeError);
  assert.throws(() => reader.release(3 * TAKEN), RangeError);
});

test('a record of another length is passed over and counted, the one behind it is read', () => {
  for (const length of [0, 8, RECORD + 1, SIZE, 0x3fff_ffff, DISCARDED]) {
    const { reader, write, spoil } = ring();
    for (const value of [1, 2, 3]) write(value);
    spoil(TAKEN, length);
    assert.deepEqual(drained(reader), [1, 3], `length ${length}`);
    assert.equal(reader.badRecords, 1);
  }
});

test('where the next record cannot be told, reading goes on where the kernel is, and what lay between is counted', () => {
  const { reader, write, spoil } = ring();
  for (const value of [1, 2, 3, 4]) write(value);
  spoil(TAKEN, 8);
  spoil(2 * TAKEN, 8);
  assert.deepEqual(drained(reader), [1]);
  assert.equal(reader.badRecords, 3);
  assert.equal(reader.position, 4 * TAKEN);
  write(5);
  assert.deepEqual(drained(reader), [5]);
  assert.equal(reader.badRecords, 3);
});

test('nothing beyond where the kernel is gets read after a bad record', () => {
  const { reader, write, spoil } = ring();
  for (const value of [1, 2, 3, 4, 5]) write(value);
  reader.drain(reader.producerPosition(), () => {});
  reader.release();
  write(6);
  spoil(5 * TAKEN, 8);
  // Behind it stands what is left of an earlier round.
  assert.deepEqual(drained(reader), []);
  assert.equal(reader.position, reader.producerPosition());
});
