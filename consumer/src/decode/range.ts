/** A range of batches decoded: what is to be stored of it, by table and day. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import { createEventColumns, type EventColumns } from '@tcptrail/schemas/event-columns.ts';
import { batchDay, batchRow } from './batch-row.ts';

export interface Datum {
  readonly offset: number;
  readonly datum: Uint8Array;
}

/** A batch that decoded, with its rows of tcp_events by day (since 1970). */
export interface Decoded {
  readonly offset: number;
  readonly envelope: BatchEnvelope;
  readonly events: ReadonlyMap<number, number>;
  readonly batchDay: number;
}

export interface DecodedRange {
  readonly batches: readonly Decoded[];
  readonly refused: readonly { readonly offset: number; readonly error: AppError }[];
  /** Native block of the given batches' events of one day; undefined when there are none. Its bytes are those of the next call, too. */
  events(offsets: ReadonlySet<number>, day: number): Uint8Array | undefined;
  /** JSONEachRow lines of the given batches filed under one day. */
  batchLines(offsets: ReadonlySet<number>, day: number): Uint8Array;
}

export interface RangeDecoder {
  /** The result shares memory with the next one: be done with it before. */
  decode(
    place: { readonly origin: string; readonly originPartition: number },
    messages: readonly Datum[],
  ): DecodedRange;
}

export function createRangeDecoder(): RangeDecoder {
  const columns = createEventColumns();
  return {
    decode({ origin, originPartition }, messages) {
      const at = (offset: number) => ({ origin, origin_partition: originPartition, origin_offset: offset });
      const batches: Decoded[] = [];
      const refused: { offset: number; error: AppError }[] = [];
      const data = new Map<number, Uint8Array>();
      columns.reset();
      for (const { offset, datum } of messages) {
        try {
          const { envelope, days } = columns.append(datum, at(offset));
          batches.push({ offset, envelope, events: days, batchDay: batchDay(envelope) });
          data.set(offset, datum);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          refused.push({ offset, error });
        }
      }
      /** Offsets whose events the columns hold. */
      let filled = new Set(data.keys());

      function fill(offsets: ReadonlySet<number>): EventColumns {
        if (offsets.size === filled.size && [...filled].every((offset) => offsets.has(offset)))
          return columns;
        columns.reset();
        filled = new Set([...data.keys()].filter((offset) => offsets.has(offset)));
        for (const offset of filled) columns.append(data.get(offset) ?? new Uint8Array(), at(offset));
        return columns;
      }

      return {
        batches,
        refused,
        events(offsets, day) {
          const held = fill(offsets);
          return held.days().has(day) ? held.block(day) : undefined;
        },
        batchLines(offsets, day) {
          const rows = batches.filter((batch) => offsets.has(batch.offset) && batch.batchDay === day);
          const lines = rows.map(({ offset, envelope, events }) =>
            JSON.stringify(batchRow({ envelope, events: sum(events.values()), origin: at(offset) })),
          );
          return Buffer.from(`${lines.join('\n')}\n`);
        },
      };
    },
  };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
