/** A range of batches decoded: what is to be stored of it, by table and day. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import { createEventColumns } from '@tcptrail/schemas/event-columns.ts';
import { dayNumber } from '@tcptrail/schemas/filing.ts';
import { createBlockWriter } from '@tcptrail/schemas/native-block.ts';
import { batchRow } from './batch-row.ts';

export interface Datum {
  readonly offset: number;
  readonly datum: Uint8Array;
  /** When the broker took it, µs; absent where no clock but the host's stamped it. */
  readonly brokerTs?: number;
}

/** A batch that decoded, with its rows of tcp_events by day (since 1970). */
export interface Decoded {
  readonly offset: number;
  readonly envelope: BatchEnvelope;
  readonly events: ReadonlyMap<number, number>;
  /** The time it is filed by, µs: the broker's where its own is suspect. */
  readonly filedTs: number;
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

/**
 * Makes decoders for ranges that are stored at the same time. They share one set of columns: a range needs these only
 * until its block is made, and the block until it is stored.
 */
export function createRangeDecoders(): () => RangeDecoder {
  const columns = createEventColumns();
  /** Whose events the columns hold, and of which of its messages. */
  let held: { readonly range: symbol; readonly offsets: ReadonlySet<number> } | undefined;

  function createRangeDecoder(): RangeDecoder {
    const writer = createBlockWriter();
    return {
      decode({ origin, originPartition }, messages) {
        const at = (offset: number) => ({ origin, origin_partition: originPartition, origin_offset: offset });
        const range = Symbol();
        const batches: Decoded[] = [];
        const refused: { offset: number; error: AppError }[] = [];
        const data = new Map<number, Datum>();
        columns.reset();
        for (const message of messages) {
          const { offset } = message;
          try {
            const { envelope, days, filedTs } = append(message);
            batches.push({ offset, envelope, events: days, filedTs, batchDay: dayNumber(filedTs) });
            data.set(offset, message);
          } catch (error) {
            if (!(error instanceof AppError)) throw error;
            refused.push({ offset, error });
          }
        }
        held = { range, offsets: new Set(data.keys()) };
        const [firstDay] = columns.days().keys();
        /** What the writer holds: nearly always all that there is, and made before others take the columns. */
        let made = firstDay === undefined ? undefined : make(new Set(data.keys()), firstDay);

        function make(offsets: ReadonlySet<number>, day: number) {
          fill(offsets);
          const block = columns.days().has(day) ? columns.block(day, writer) : undefined;
          return { offsets, day, block };
        }
        function append({ offset, datum, brokerTs }: Datum) {
          return columns.append(datum, at(offset), brokerTs);
        }
        function fill(offsets: ReadonlySet<number>): void {
          if (held?.range === range && isSame(held.offsets, offsets)) return;
          columns.reset();
          for (const [offset, message] of data) if (offsets.has(offset)) append(message);
          held = { range, offsets };
        }

        return {
          batches,
          refused,
          events(offsets, day) {
            if (!made || made.day !== day || !isSame(made.offsets, offsets)) made = make(offsets, day);
            return made.block;
          },
          batchLines(offsets, day) {
            const rows = batches.filter((batch) => offsets.has(batch.offset) && batch.batchDay === day);
            const lines = rows.map(({ offset, envelope, events }) =>
              JSON.stringify(batchRow({ envelope, day, events: sum(events.values()), origin: at(offset) })),
            );
            return Buffer.from(`${lines.join('\n')}\n`);
          },
        };
      },
    };
  }
  return createRangeDecoder;
}

/** One that shares with no other. */
export const createRangeDecoder = (): RangeDecoder => createRangeDecoders()();

const isSame = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean =>
  a.size === b.size && [...a].every((offset) => b.has(offset));

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
