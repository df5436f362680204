/** Counts the rows that go with a segment, by kernel epoch and CPU. */
import { createAvroReader } from '@tcptrail/schemas/avro-reader.ts';
import { decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import {
  allocateEvents,
  decodeEvents,
  EVENT_TEXTS,
  type EventTexts,
} from '@tcptrail/schemas/generated/decode-events.ts';
import { createTextDictionary } from '@tcptrail/schemas/text-dictionary.ts';
import { batchesOf } from './segment-reader.ts';

/** Kernel epoch → CPU → rows. */
export type RowCounts = Record<string, Record<string, number>>;

/** Rows of the whole batches at or after byte `from`; damaged batches have no rows anybody could count. */
export function countRows(file: string, from: number): RowCounts {
  const counts: RowCounts = {};
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

function cpusOf(datum: Uint8Array): { epoch: number; cpus: Uint16Array } {
  let cpus = new Uint16Array(0);
  const { envelope } = decodeEnvelope(datum, (bytes, offset, before) => {
    const reader = createAvroReader(bytes, offset);
    let total = 0;
    for (let count = reader.long(); count !== 0; count = reader.long()) {
      if (count < 0) reader.long();
      const arrays = allocateEvents(Math.abs(count));
      reader.position = decodeEvents(
        bytes,
        reader.position,
        Math.abs(count),
        before.owners.length,
        0,
        arrays,
        newTexts(),
      );
      cpus = joined(cpus, arrays.cpu);
      total += Math.abs(count);
    }
    return { end: reader.position, count: total };
  });
  return { epoch: envelope.kernel_epoch, cpus };
}

function newTexts(): EventTexts {
  return Object.fromEntries(
    EVENT_TEXTS.map((name) => [name, createTextDictionary()]),
  ) as unknown as EventTexts;
}

function joined(a: Uint16Array, b: Uint16Array): Uint16Array<ArrayBuffer> {
  const both = new Uint16Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
