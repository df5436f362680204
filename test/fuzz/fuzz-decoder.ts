/**
 * Mutated messages through what the consumer does with them: frame, schema version, ranges, decoder. What it stores is
 * compared with what avsc reads.
 */
import assert from 'node:assert/strict';
import { createBatcher } from '@tcptrail/consumer/batch/batcher.ts';
import { type Fetched, rangesOf } from '@tcptrail/consumer/consume/kafka-batch.ts';
import { createRangeDecoder } from '@tcptrail/consumer/decode/range.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { FRAME_BYTES, frame } from '@tcptrail/schemas/single-object.ts';
import { BATCH_TYPE, plain } from '../avsc-oracle.ts';
import { readNativeBlock } from '../native-reader.ts';
import { createRandom, type Random } from '../random.ts';
import { BOOT_US } from '../random-event.ts';
import { blockRow, storedRows } from '../stored-rows.ts';
import { type Model, modelBatch, mutate } from './mutate-batch.ts';
import { expectedOf, newestOf, olderOf } from './older-version.ts';

export interface Fuzzed {
  readonly messages: number;
  readonly stored: number;
  readonly parked: number;
  readonly rows: number;
}

const FETCHED = 50;
const ROWS_MAX = 60;
const MODELS = 500;
const PLACE = { origin: 'fuzz', originPartition: 0 };
const DAY_MS = 86_400_000;

/**
 * Throws at the first message that is neither stored nor refused with a code, or is stored otherwise than avsc reads
 * it; the error holds the message's bytes. `onFetched` is told after each fetch.
 */
export function fuzzDecoder(
  options: { readonly messages: number; readonly seed: number },
  onFetched: (fuzzed: Fuzzed) => void = () => {},
): Fuzzed {
  const random = createRandom(options.seed);
  const models: Model[] = Array.from({ length: MODELS }, () => modelBatch(random));
  const decoder = createRangeDecoder();
  const fill = createBatcher({ rowsMax: ROWS_MAX, bytesMax: Number.POSITIVE_INFINITY, flushMs: 0 });
  const sum = { messages: 0, stored: 0, parked: 0, rows: 0 };
  while (sum.messages < options.messages) {
    const size = Math.min(FETCHED, options.messages - sum.messages);
    const fetched = Array.from({ length: size }, (_, offset) => anyMessage(random, models, offset));
    const parked: number[] = [];
    const stored: number[] = [];
    for (const range of rangesOf(fetched, PLACE, fill)) {
      const decoded = decoder.decode(PLACE, range.messages);
      const refused = decoded.refused.map(({ offset, error }) => ({ offset, code: error.code }));
      const unread = range.parked.map(({ originOffset, reason }) => ({ offset: originOffset, code: reason }));
      for (const { code } of unread) assert.match(code, /^(DECODE_|FRAME_UNKNOWN$|SCHEMA_UNKNOWN$)/);
      for (const { code } of refused) assert.match(code, /^DECODE_/);
      parked.push(...[...unread, ...refused].map(({ offset }) => offset));
      stored.push(...decoded.batches.map(({ offset }) => offset));
      sum.rows += compare(decoded, fetched);
    }
    const all = [...parked, ...stored].toSorted((a, b) => a - b);
    assert.deepEqual(all, [...fetched.keys()], 'each is parked or stored, once');
    sum.messages += size;
    sum.stored += stored.length;
    sum.parked += parked.length;
    onFetched(sum);
  }
  return sum;
}

function anyMessage(random: Random, models: readonly Model[], offset: number): Fetched {
  const ms = Math.floor(BOOT_US / 1000) + random.below(60) * DAY_MS;
  const timestampType = random.below(2);
  const value = anyValue(random, models);
  return { offset: String(offset), key: null, value, timestamp: String(ms), batchContext: { timestampType } };
}

/** Mostly a frame of this version around a mutated batch. */
function anyValue(random: Random, models: readonly Model[]): Buffer | null {
  const model = random.pick(models);
  const twice = (datum: Buffer): Buffer => (random.below(8) ? datum : mutate(random, { ...model, datum }));
  if (random.below(16) === 0)
    return ofOlder(olderOf(model.datum), (datum) => mutate(random, { ...model, datum }));
  const value = frame(twice(mutate(random, model)));
  switch (random.below(64)) {
    case 0:
      return null;
    case 1:
      return value.subarray(0, random.below(FRAME_BYTES + 2));
    case 2: {
      const bit = random.below(8 * FRAME_BYTES);
      value[bit >> 3] = (value[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return value;
    }
    default:
      return value;
  }
}

/** A message of an older version as the consumer reads it, in the frame of the newest; as it is where it is refused. */
function ofOlder(good: Buffer, damage: (datum: Buffer) => Buffer): Buffer {
  const datum = damage(good);
  let newest: Uint8Array;
  try {
    newest = newestOf(datum);
  } catch (error) {
    assert.ok(error instanceof AppError && /^DECODE_/.test(error.code), String(error));
    assert.notDeepEqual(datum, good, error.message);
    return datum;
  }
  try {
    assert.deepEqual(plain(BATCH_TYPE.fromBuffer(Buffer.from(newest))), expectedOf(datum));
  } catch (error) {
    throw new Error(`resolved otherwise than avsc reads it: ${datum.toString('hex')}`, { cause: error });
  }
  return frame(newest);
}

type Decoded = ReturnType<ReturnType<typeof createRangeDecoder>['decode']>;

/** Throws when a batch is not stored as avsc reads it. Gives the rows. */
function compare(decoded: Decoded, fetched: readonly Fetched[]): number {
  const rowsOf = rowsByMessage(decoded);
  let rows = 0;
  for (const { offset, envelope } of decoded.batches) {
    const message = fetched[offset];
    assert.ok(message?.value);
    try {
      const { timestamp, batchContext } = message;
      const brokerTs = batchContext?.timestampType === 1 ? Number(`${timestamp}000`) : undefined;
      const expected = storedRows(message.value.subarray(FRAME_BYTES), brokerTs);
      assert.deepEqual(plain(envelope), expected.envelope);
      assert.deepEqual(rowsOf.get(offset) ?? [], expected.rows.toSorted());
      rows += expected.rows.length;
    } catch (error) {
      const hex = message.value.toString('hex');
      throw new Error(`stored otherwise than avsc reads it: ${hex}`, { cause: error });
    }
  }
  return rows;
}

/** Rows of the range's blocks by the message they say they came from, sorted. */
function rowsByMessage(decoded: Decoded): ReadonlyMap<number, string[]> {
  const offsets = new Set(decoded.batches.map(({ offset }) => offset));
  const days = new Set(decoded.batches.flatMap(({ events }) => [...events.keys()]));
  const rows = new Map<number, string[]>();
  for (const day of days) {
    const block = decoded.events(offsets, day);
    assert.ok(block);
    const columns = readNativeBlock(block);
    const count = decoded.batches.reduce((total, { events }) => total + (events.get(day) ?? 0), 0);
    for (let row = 0; row < count; row++) {
      const offset = Number(columns.get('origin_offset')?.[row] ?? 0n);
      rows.set(offset, [...(rows.get(offset) ?? []), blockRow(columns, row)]);
    }
  }
  for (const list of rows.values()) list.sort();
  return rows;
}
