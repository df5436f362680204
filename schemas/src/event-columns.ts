/**
 * Avro batches to ClickHouse Native blocks of tcp_events, columnar and in one pass over the events.
 *
 * Columns fill over several batches; what a batch or an owner gives every row of its own is kept once and
 * spread when the block is made.
 */

import { createAvroReader, decodeRange } from './avro-reader.ts';
import { decodeEnvelope } from './batch.ts';
import type { Field } from './fields.ts';
import { AVRO_OWNER_FIELDS, ORIGIN_FIELDS } from './fields.ts';
import {
  allocateEvents,
  decodeEvents,
  EVENT_TEXTS,
  type EventArrays,
  type EventTexts,
} from './generated/decode-events.ts';
import type { BatchEnvelope, Owner } from './generated/envelope.ts';
import { bytesOf, lists, lowCardinality, type NativeColumn, nativeBlock, strings } from './native-block.ts';
import { batchField, DAY_COLUMN, EVENT_BATCH_COLUMNS, EVENT_COLUMNS } from './stored.ts';
import { createTextDictionary } from './text-dictionary.ts';
import { formOf } from './types.ts';

/** Where a batch came from; the ledger. */
export interface Origin {
  readonly origin: string;
  readonly origin_partition: number;
  readonly origin_offset: number;
}

export interface Appended {
  readonly envelope: BatchEnvelope;
  readonly rows: number;
}

export interface EventColumns {
  readonly rows: number;
  /**
   * Decodes one batch datum. Throws DECODE_TRUNCATED, DECODE_RANGE or DECODE_TRAILING with the byte offset and
   * then holds what it held before.
   */
  append(datum: Uint8Array, origin: Origin): Appended;
  /** Days (since 1970) present, with their rows, in order. */
  days(): ReadonlyMap<number, number>;
  /** Rows of one day as one Native block, in the order they came. */
  block(day: number): Uint8Array;
  reset(): void;
}

type Numbers = Uint8Array | Uint16Array | Uint32Array;

const SUSPECT_US = 2 * 86_400e6;
const DAY_US = 86_400e6;
/** No event is smaller: one byte a field at least. Bounds what a damaged count can make us allocate. */
const EVENT_BYTES_MIN = EVENT_COLUMNS.length;

/** An event stamped so far from its batch (both µs) is filed under the batch's day. */
export const isSuspect = (ts: number, batchTs: number): boolean => Math.abs(ts - batchTs) > SUSPECT_US;

export function createEventColumns(rowsInitial = 4096): EventColumns {
  let capacity = rowsInitial;
  let arrays = allocateEvents(capacity);
  let batchOf = new Uint32Array(capacity);
  let dayOf = new Uint16Array(capacity);
  let suspect = new Uint8Array(capacity);
  let rows = 0;
  let owners: Owner[] = [];
  let batches: (BatchEnvelope & Origin)[] = [];
  const texts: EventTexts = {
    ...(Object.fromEntries(
      EVENT_TEXTS.map((name) => [name, createTextDictionary()]),
    ) as unknown as EventTexts),
  };

  function reserve(count: number): void {
    if (rows + count <= capacity) return;
    capacity = Math.max(capacity * 2, rows + count);
    const larger = allocateEvents(capacity);
    for (const [name, array] of Object.entries(arrays) as [
      keyof EventArrays,
      EventArrays[keyof EventArrays],
    ][]) {
      const target = larger[name];
      if (Array.isArray(array)) for (const [row, item] of array.entries()) (target as unknown[])[row] = item;
      else (target as Numbers).set(array as Numbers);
    }
    arrays = larger;
    batchOf = grown(batchOf, new Uint32Array(capacity));
    dayOf = grown(dayOf, new Uint16Array(capacity));
    suspect = grown(suspect, new Uint8Array(capacity));
  }

  function readEvents(datum: Uint8Array, offset: number, ownersBefore: number, ownerCount: number) {
    const reader = createAvroReader(datum, offset);
    let count = 0;
    for (let block = reader.long(); block !== 0; block = reader.long()) {
      if (block < 0) reader.long();
      const size = Math.abs(block);
      if (size * EVENT_BYTES_MIN > datum.length - reader.position)
        throw decodeRange('event count', reader.position);
      reserve(count + size);
      const first = rows + count;
      reader.position = decodeEvents(datum, reader.position, size, ownerCount, first, arrays, texts);
      for (let row = first; row < first + size; row++)
        arrays.owner[row] = (arrays.owner[row] ?? 0) + ownersBefore;
      count += size;
    }
    return { end: reader.position, count };
  }

  function file(count: number, batch: BatchEnvelope, index: number): void {
    for (let row = rows; row < rows + count; row++) {
      const ts = time(arrays.ts, row);
      const far = isSuspect(ts, batch.batch_ts);
      suspect[row] = far ? 1 : 0;
      dayOf[row] = Math.floor((far ? batch.batch_ts : ts) / DAY_US);
      batchOf[row] = index;
    }
  }

  /** Rows of the day, or undefined when all rows are. */
  function selection(day: number): Uint32Array | undefined {
    const picked: number[] = [];
    for (let row = 0; row < rows; row++) if (dayOf[row] === day) picked.push(row);
    return picked.length === rows ? undefined : Uint32Array.from(picked);
  }

  return {
    get rows() {
      return rows;
    },
    append(datum, origin) {
      const ownersBefore = owners.length;
      let count = 0;
      try {
        const { envelope } = decodeEnvelope(datum, (bytes, offset, before) => {
          const range = readEvents(bytes, offset, ownersBefore, before.owners.length);
          count = range.count;
          return range;
        });
        owners.push(...envelope.owners);
        batches.push({ ...envelope, ...origin });
        file(count, envelope, batches.length - 1);
        rows += count;
        return { envelope, rows: count };
      } catch (error) {
        owners.length = ownersBefore;
        throw error;
      }
    },
    days() {
      const counts = new Map<number, number>();
      for (let row = 0; row < rows; row++) {
        const day = dayOf[row] ?? 0;
        counts.set(day, (counts.get(day) ?? 0) + 1);
      }
      return new Map([...counts].sort(([a], [b]) => a - b));
    },
    block(day) {
      const picked = selection(day);
      const count = picked?.length ?? rows;
      const ownerOf = take(arrays.owner, 1, count, picked) as Uint32Array;
      const batchIndex = take(batchOf, 1, count, picked) as Uint32Array;
      const events = EVENT_COLUMNS.map((field) => eventColumn(field, arrays, texts, count, picked));
      return nativeBlock(
        [
          { name: DAY_COLUMN.name, type: DAY_COLUMN.type, data: [bytesOf(take(dayOf, 1, count, picked))] },
          ...EVENT_BATCH_COLUMNS.map((name) => spread(batchField(name), batches, batchIndex)),
          ...events,
          ...AVRO_OWNER_FIELDS.map((field) => spread(field, owners, ownerOf)),
          { name: 'ts_suspect', type: 'Bool', data: [bytesOf(take(suspect, 1, count, picked))] },
          ...ORIGIN_FIELDS.map((field) => spread(field, batches, batchIndex)),
        ],
        count,
      );
    },
    reset() {
      rows = 0;
      owners = [];
      batches = [];
      for (const name of EVENT_TEXTS) texts[name].reset();
    },
  };
}

function grown<T extends Numbers>(from: T, into: T): T {
  into.set(from);
  return into;
}

/** A 64-bit value of two words as a number; times and what else stays below 2^53. */
function time(words: Uint32Array, row: number): number {
  return ((words[2 * row + 1] ?? 0) | 0) * 0x1_0000_0000 + (words[2 * row] ?? 0);
}

/** The first `count` rows of an array of `width` elements a row, or the picked ones. */
function take(array: Numbers, width: number, count: number, picked: Uint32Array | undefined): Numbers {
  if (!picked) return array.subarray(0, count * width);
  const taken = array.slice(0, count * width);
  for (let index = 0; index < count; index++) {
    const from = (picked[index] ?? 0) * width;
    for (let i = 0; i < width; i++) taken[index * width + i] = array[from + i] ?? 0;
  }
  return taken;
}

function eventColumn(
  field: Field,
  arrays: EventArrays,
  texts: EventTexts,
  count: number,
  picked: Uint32Array | undefined,
): NativeColumn {
  const array = arrays[field.name as keyof EventArrays];
  const type = formOf(field.type).clickhouse;
  const name = field.name;
  if (Array.isArray(array)) {
    const all = array as readonly (readonly number[])[];
    return {
      name,
      type,
      data: lists(picked ? Array.from(picked, (row) => all[row] ?? []) : all.slice(0, count)),
    };
  }
  const width = field.type === 'address' ? 16 : field.type === 'u64' || field.type === 'time' ? 2 : 1;
  const values = take(array as Numbers, width, count, picked);
  const dictionary = name in texts ? texts[name as keyof EventTexts] : undefined;
  if (dictionary) return { name, type, data: lowCardinality(dictionary.values, values as Uint32Array) };
  return { name, type, data: [bytesOf(values)] };
}

/** A column whose value is the same for all rows of one item: an owner's, a batch's. */
function spread(field: Field, items: readonly object[], itemOf: Uint32Array): NativeColumn {
  const type = formOf(field.type).clickhouse;
  const values = items.map((item) => (item as Record<string, unknown>)[field.name]);
  const column = (data: readonly Uint8Array[]): NativeColumn => ({ name: field.name, type, data });
  switch (field.type) {
    case 'text':
    case 'name16': {
      const dictionary = createTextDictionary();
      const keys = Uint32Array.from(values, (value) => dictionary.add(value as string));
      return column(
        lowCardinality(
          dictionary.values,
          itemOf.map((item) => keys[item] ?? 0),
        ),
      );
    }
    case 'string':
      return column(strings(Array.from(itemOf, (item) => (values[item] as string | undefined) ?? '')));
    case 'u32': {
      const numbers = Uint32Array.from(values as number[]);
      return column([bytesOf(itemOf.map((item) => numbers[item] ?? 0))]);
    }
    case 'u64':
    case 'time': {
      const numbers = BigInt64Array.from(values as number[], (value) => BigInt(value));
      return column([bytesOf(BigInt64Array.from(itemOf, (item) => numbers[item] ?? 0n))]);
    }
    default:
      throw new Error(`${field.name}: ${JSON.stringify(field.type)} has no spread form`);
  }
}
