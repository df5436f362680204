/** Real events as the agents of many hosts send them: what one host recorded, under each host's name. */
import { createAvroReader } from '@tcptrail/schemas/avro-reader.ts';
import { type BatchEnvelope, decodeEnvelope, encodeBatch, type Owner } from '@tcptrail/schemas/batch.ts';
import { BATCH_TYPE } from '../encode/event-type.ts';
import { createFilledRing } from '../encode/filled-ring.ts';
import { createPath } from '../encode/paths.ts';
import type { RealRecords } from '../encode/real-records.ts';
import { RING_BYTES } from '../encode/worker.ts';

/** A batch of the one host. */
export interface RealBatch {
  readonly envelope: BatchEnvelope;
  readonly events: { readonly bytes: Uint8Array; readonly count: number };
  /** Each event as avsc reads it, its owner's fields beside its own. */
  readonly flat: () => readonly Readonly<Record<string, unknown>>[];
}

/** The batches of the agent's own encoder for each record once. */
export function batchesOf(real: RealRecords): readonly RealBatch[] {
  const data: Uint8Array[] = [];
  const ring = createFilledRing(RING_BYTES, real.records, real.records.length);
  createPath('tcptrail', real, (datum) => data.push(datum)).run(ring.reader());
  return data.map(read).filter(({ events }) => events.count > 0);
}

function read(datum: Uint8Array): RealBatch {
  const { envelope, events } = decodeEnvelope(datum);
  const reader = createAvroReader(datum, events.offset);
  const count = reader.long();
  return {
    envelope,
    events: { bytes: datum.subarray(reader.position, events.end - 1), count },
    flat() {
      const bytes = Buffer.from(datum.buffer, datum.byteOffset, datum.length);
      const batch = BATCH_TYPE.fromBuffer(bytes) as { events: { owner: number }[]; owners: Owner[] };
      return batch.events.map((event) => ({ ...event, ...batch.owners[event.owner] }));
    },
  };
}

/** The batch's envelope as a host of that number sends it. */
export function envelopeOf({ envelope }: RealBatch, host: number): BatchEnvelope {
  const name = `web-${host}.example.org`;
  return { ...envelope, host_name: name, host_id: String(host).padStart(32, '0') };
}

export const datumOf = (batch: RealBatch, host: number): Uint8Array =>
  encodeBatch(envelopeOf(batch, host), batch.events);
