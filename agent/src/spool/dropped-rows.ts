/** Counts the rows that go with a segment, by kernel epoch and CPU. */
import { createAvroReader } from '@tcptrail/schemas/avro-reader.ts';
import { decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import {
  allocateEvents,
  decodeEvents,
  EVENT_TEXTS,
  type EventArrays,
  type EventTexts,
} from '@tcptrail/schemas/generated/decode-events.ts';
import { createTextDictionary } from '@tcptrail/schemas/text-dictionary.ts';
import { batchesOf } from './segment-reader.ts';

/** Kernel epoch → CPU → rows. */
export type RowCounts = Record<string, Record<string, number>>;

/** Rows of the whole batches at or after byte `from`; damaged batches have no rows anybody could count. */
export function countRows(file: string, from: number): RowCounts {
  const counts: RowCounts = {};
  const cpusOf = createCpuDecoder();
  for (const { datum } of batchesOf(file, from)) {
    try {
      const { epoch, cpus } = cpusOf(datum);
      counts[epoch] ??= {};
      const ofEpoch = counts[epoch];
      for (const cpu of cpus) ofEpoch[cpu] = (ofEpoch[cpu] ?? 0) + 1;
    } catch {
      // Whole but not decodable: a reader would have set it aside.
    }
  }
  return counts;
}

/** `into` with `more` added; both stay as they are. */
export function addRows(into: Readonly<RowCounts>, more: Readonly<RowCounts>): RowCounts {
  const sum = structuredClone(into) as RowCounts;
  for (const [epoch, cpus] of Object.entries(more)) {
    sum[epoch] ??= {};
    const ofEpoch = sum[epoch];
    for (const [cpu, rows] of Object.entries(cpus)) ofEpoch[cpu] = (ofEpoch[cpu] ?? 0) + rows;
  }
  return sum;
}

/** One for a segment: it is read while the rings fill, and its memory is what takes longest to get. */
function createCpuDecoder(): (datum: Uint8Array) => { epoch: number; cpus: Uint16Array } {
  let arrays = allocateEvents(0);
  const texts = Object.fromEntries(
    EVENT_TEXTS.map((name) => [name, createTextDictionary()]),
  ) as unknown as EventTexts;

  // The CPU of each event; valid until the next call.
  return (datum) => {
    for (const name of EVENT_TEXTS) texts[name].reset();
    let rows = 0;
    const { envelope } = decodeEnvelope(datum, (bytes, offset, before) => {
      const reader = createAvroReader(bytes, offset);
      for (let block = reader.long(); block !== 0; block = reader.long()) {
        if (block < 0) reader.long();
        const count = Math.abs(block);
        arrays = withRoom(arrays, rows, rows + count);
        const { position } = reader;
        reader.position = decodeEvents(bytes, position, count, before.owners.length, rows, arrays, texts);
        rows += count;
      }
      return { end: reader.position, count: rows };
    });
    return { epoch: envelope.kernel_epoch, cpus: arrays.cpu.subarray(0, rows) };
  };
}

/** Of the first `rows` only the CPUs are kept. */
function withRoom(arrays: EventArrays, rows: number, needed: number): EventArrays {
  if (needed <= arrays.cpu.length) return arrays;
  const larger = allocateEvents(needed);
  larger.cpu.set(arrays.cpu.subarray(0, rows));
  return larger;
}
