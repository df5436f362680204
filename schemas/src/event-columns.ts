/**
 * Avro batches to ClickHouse Native blocks of tcp_events, columnar and in one pass over the events.
 *
 * Columns fill over several batches; what a batch or an owner gives every row of its own is kept once and
 * spread when the block is made.
 */

import { AppError } from './app-error.ts';
import { createAvroReader, decodeRange } from './avro-reader.ts';
import { decodeEnvelope } from './batch.ts';
import { eventColumn, spread } from './block-columns.ts';
import { AVRO_OWNER_FIELDS, avroFields, EVENT_FIELDS, ORIGIN_FIELDS } from './fields.ts';
import { dayNumber, FILED_TS_MAX, filedTsOf, isSuspect } from './filing.ts';
import {
  allocateEvents,
  decodeEvents,
  EVENT_TEXTS,
  type EventArrays,
  type EventTexts,
} from './generated/decode-events.ts';
import type { BatchEnvelope, Owner } from './generated/envelope.ts';
import { toRests } from './generated/to-rests.ts';
import { type BlockWriter, createBlockWriter, fixed, type Numbers } from './native-block.ts';
import { batchField, DAY_COLUMN, EVENT_BATCH_COLUMNS, EVENT_COLUMNS } from './stored.ts';
import { inTableOrder } from './table-order.ts';
import { createTextDictionary } from './text-dictionary.ts';
import { ADDRESS_BYTES } from './types.ts';

/** Where a batch came from; the ledger. */
export interface Origin {
  readonly origin: string;
  readonly origin_partition: number;
  readonly origin_offset: number;
}

export interface Appended {
  readonly envelope: BatchEnvelope;
  readonly rows: number;
  /** The time it is filed by, µs; see `filing.ts`. */
  readonly filedTs: number;
  /** Rows by day (since 1970). */
  readonly days: ReadonlyMap<number, number>;
}

export interface EventColumns {
  readonly rows: number;
  /**
   * Decodes one batch datum. `brokerTs`: when the broker took it, µs, where a broker did. Throws DECODE_TRUNCATED,
   * DECODE_RANGE or DECODE_TRAILING with the byte offset and then holds what it held before.
   */
  append(datum: Uint8Array, origin: Origin, brokerTs?: number): Appended;
  /** Days (since 1970) present, with their rows, in order. */
  days(): ReadonlyMap<number, number>;
  /** Rows of one day as one Native block, in the order of the table. Its bytes are those of the writer's next one, too; there is one for all. */
  block(day: number, writer?: BlockWriter): Uint8Array;
  reset(): void;
}

/** No event is smaller: a byte a field, but for addresses. Bounds what a damaged count can make us allocate. */
const EVENT_BYTES_MIN = avroFields(EVENT_FIELDS).reduce(
  (bytes, { type }) => bytes + (type === 'address' ? ADDRESS_BYTES : 1),
  0,
);

function beyondDays(batchTs: number): AppError {
  return new AppError(
    'DECODE_RANGE',
    `batch_ts ${batchTs} is beyond the days that a table can hold (to 2149); set the clock of the host right`,
  );
}

export function createEventColumns(rowsInitial = 4096): EventColumns {
  let capacity = rowsInitial;
  let arrays = allocateEvents(capacity);
  let batchOf = new Uint32Array(capacity);
  let dayOf = new Uint16Array(capacity);
  let suspect = new Uint8Array(capacity);
  const ownWriter = createBlockWriter();
  let rows = 0;
  let rowsOf = new Map<number, number>();
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

  /** Gives the rows their days, those of suspect events that of `filedTs`; how many each day got. */
  function file(count: number, filedTs: number, index: number): Map<number, number> {
    const days = new Map<number, number>();
    let day = -1;
    let since = rows;
    const endDay = (row: number): void => {
      if (row > since) days.set(day, (days.get(day) ?? 0) + row - since);
      since = row;
    };
    for (let row = rows; row < rows + count; row++) {
      const ts = time(arrays.ts, row);
      const far = isSuspect(ts, filedTs);
      suspect[row] = far ? 1 : 0;
      const its = dayNumber(far ? filedTs : ts);
      if (its !== day) {
        endDay(row);
        day = its;
      }
      dayOf[row] = its;
      batchOf[row] = index;
    }
    endDay(rows + count);
    return days;
  }

  function rowsOfDay(day: number): Uint32Array {
    const picked = new Uint32Array(rowsOf.get(day) ?? 0);
    let at = 0;
    for (let row = 0; row < rows; row++) if (dayOf[row] === day) picked[at++] = row;
    return picked;
  }

  /** Rank of each batch's host among all hosts, by name. */
  function hostRanks(): { readonly ranks: Uint32Array; readonly hosts: number } {
    const names = [...new Set(batches.map(({ host_id }) => host_id))].sort();
    const rankOf = new Map(names.map((name, rank) => [name, rank]));
    return {
      ranks: Uint32Array.from(batches, ({ host_id }) => rankOf.get(host_id) ?? 0),
      hosts: names.length,
    };
  }

  return {
    get rows() {
      return rows;
    },
    append(datum, origin, brokerTs) {
      const ownersBefore = owners.length;
      const textsBefore = Object.fromEntries(EVENT_TEXTS.map((name) => [name, texts[name].values.length]));
      let count = 0;
      try {
        const { envelope } = decodeEnvelope(datum, (bytes, offset, before) => {
          const range = readEvents(bytes, offset, ownersBefore, before.owners.length);
          count = range.count;
          return range;
        });
        const filedTs = filedTsOf(envelope.batch_ts, brokerTs);
        if (filedTs > FILED_TS_MAX) throw beyondDays(filedTs);
        for (const owner of envelope.owners) owners.push(owner);
        const days = file(count, filedTs, batches.length);
        toRests(arrays, rows, rows + count);
        batches.push({ ...envelope, ...origin });
        for (const [day, more] of days) rowsOf.set(day, (rowsOf.get(day) ?? 0) + more);
        rows += count;
        return { envelope, rows: count, filedTs, days };
      } catch (error) {
        for (const name of EVENT_TEXTS) texts[name].keep(textsBefore[name] ?? 0);
        throw error;
      }
    },
    days: () => new Map([...rowsOf].sort(([a], [b]) => a - b)),
    block(day, writer = ownWriter) {
      const { ranks, hosts } = hostRanks();
      const hostOf = (row: number): number => ranks[batchOf[row] as number] as number;
      const order = inTableOrder(arrays, rowsOfDay(day), { hostOf, hosts });
      const ownerOf = order.map((row) => arrays.owner[row] as number);
      const batchIndex = order.map((row) => batchOf[row] as number);
      return writer.write(
        [
          [DAY_COLUMN.name, fixed(DAY_COLUMN.type, dayOf.subarray(0, rows), order)],
          ...EVENT_BATCH_COLUMNS.map((name) => spread(batchField(name), batches, batchIndex)),
          ...EVENT_COLUMNS.map((field) => eventColumn(field, { arrays, texts, rows, order })),
          ...AVRO_OWNER_FIELDS.map((field) => spread(field, owners, ownerOf)),
          ['ts_suspect', fixed('Bool', suspect.subarray(0, rows), order)],
          ...ORIGIN_FIELDS.map((field) => spread(field, batches, batchIndex)),
        ],
        order.length,
      );
    },
    reset() {
      rows = 0;
      rowsOf = new Map();
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
