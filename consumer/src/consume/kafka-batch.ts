/** What a fetch brought of one partition, as ranges to store. Pure. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { unframe } from '@tcptrail/schemas/single-object.ts';
import { glance } from './glance.ts';
import { toNewest } from './schema-versions.ts';
import type { BatchIdentity, Fill, Message, ParkedBatch } from './transport.ts';

export interface Fetched {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface KafkaRange {
  readonly messages: readonly Message[];
  /** Messages that are no batch of ours. */
  readonly parked: readonly ParkedBatch[];
  /** The last message of the range, parked ones included. */
  readonly lastOffset: string;
}

const NOBODY: BatchIdentity = { hostId: '', agentEpoch: 0, batchSeq: 0 };

/** Ranges in order, each within what `fill` allows; together they are all of `fetched`. */
export function* rangesOf(
  fetched: readonly Fetched[],
  place: { readonly origin: string; readonly originPartition: number },
  fill: Fill,
): Generator<KafkaRange> {
  let messages: Message[] = [];
  let parked: ParkedBatch[] = [];
  let lastOffset: string | undefined;
  for (const { offset, value } of fetched) {
    const read = readMessage(Number(offset), value);
    const size = 'datum' in read ? { rows: read.rows, bytes: read.datum.length } : { rows: 0, bytes: 0 };
    if (lastOffset !== undefined && fill.isFullFor(size)) {
      yield { messages, parked, lastOffset };
      messages = [];
      parked = [];
      fill.clear();
    }
    if ('datum' in read) messages.push(read);
    else parked.push({ ...place, originOffset: Number(offset), identity: NOBODY, ...read });
    fill.add(size, 0);
    lastOffset = offset;
  }
  fill.clear();
  if (lastOffset !== undefined) yield { messages, parked, lastOffset };
}

function readMessage(
  offset: number,
  value: Buffer | null,
): (Message & { readonly rows: number }) | { readonly reason: string; readonly detail: string } {
  if (value === null) return { reason: 'FRAME_UNKNOWN', detail: 'the message has no value' };
  try {
    const framed = unframe(value);
    const datum = toNewest(framed.fingerprint, framed.datum);
    const seen = glance(datum);
    return { offset, datum, identity: seen?.identity ?? NOBODY, rows: seen?.rows ?? 0 };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { reason: error.code, detail: error.message };
  }
}
