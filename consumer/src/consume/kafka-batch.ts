/** What a fetch brought of one partition, as ranges to store. Pure. */
import { createHash } from 'node:crypto';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { unframe } from '@tcptrail/schemas/single-object.ts';
import { glance } from './glance.ts';
import { toNewest } from './schema-versions.ts';
import type { BatchIdentity, Fill, Message, ParkedBatch } from './transport.ts';

/** A message in kafkajs' form. */
export interface Fetched {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** ms, of the clock that `batchContext` tells. */
  readonly timestamp?: string;
  /** There, and not in kafkajs' types. */
  readonly batchContext?: { readonly timestampType: number };
}

/** Of KIP-32: the broker's clock. 0 is that of whoever wrote the message. */
export const LOG_APPEND_TIME = 1;

export interface KafkaRange {
  /** All messages of it, as they came. */
  readonly fetched: readonly Fetched[];
  readonly messages: readonly Message[];
  /** Messages that are no batch of ours. */
  readonly parked: readonly ParkedBatch[];
  readonly firstOffset: string;
  readonly lastOffset: string;
}

const NOBODY: BatchIdentity = { hostId: '', agentEpoch: 0, batchSeq: 0 };

type OfPlace = { readonly origin: string; readonly originPartition: number };

/** Ranges in order, each within what `fill` allows; together they are all of `fetched`. */
export function* rangesOf(fetched: readonly Fetched[], place: OfPlace, fill: Fill): Generator<KafkaRange> {
  let read: ReadMessage[] = [];
  for (const message of fetched) {
    const next = readMessage(message, place);
    if (read.length > 0 && fill.isFullFor(next.size)) {
      yield rangeOf(read);
      read = [];
      fill.clear();
    }
    read.push(next);
    fill.add(next.size, 0);
  }
  fill.clear();
  if (read.length > 0) yield rangeOf(read);
}

/** All of `fetched`, which is not empty, as one range. */
export function wholeRangeOf(fetched: readonly Fetched[], place: OfPlace): KafkaRange {
  return rangeOf(fetched.map((message) => readMessage(message, place)));
}

/** Undefined when it is one message. */
export function halvesOf({ fetched }: KafkaRange, place: OfPlace): readonly KafkaRange[] | undefined {
  const middle = fetched.length >> 1;
  if (middle === 0) return undefined;
  return [fetched.slice(0, middle), fetched.slice(middle)].map((half) => wholeRangeOf(half, place));
}

/** Of the messages as they came, their order and their places. */
export function digestOf(fetched: readonly Fetched[]): string {
  const hash = createHash('sha256');
  for (const { offset, value } of fetched)
    hash.update(`${offset} ${value?.length ?? 'none'} `).update(value ?? '');
  return hash.digest('hex').slice(0, 32);
}

/** When the broker took the message, µs; undefined when its clock did not stamp it. */
export function brokerTsOf({ timestamp, batchContext }: Fetched): number | undefined {
  return batchContext?.timestampType === LOG_APPEND_TIME ? 1000 * Number(timestamp) : undefined;
}

interface ReadMessage {
  readonly fetched: Fetched;
  readonly size: { readonly rows: number; readonly bytes: number };
  /** Or why there is none. */
  readonly message?: Message;
  readonly parked?: ParkedBatch;
}

function rangeOf(read: readonly ReadMessage[]): KafkaRange {
  return {
    fetched: read.map(({ fetched }) => fetched),
    messages: read.flatMap(({ message }) => message ?? []),
    parked: read.flatMap(({ parked }) => parked ?? []),
    firstOffset: read[0]?.fetched.offset ?? '',
    lastOffset: read.at(-1)?.fetched.offset ?? '',
  };
}

function readMessage(fetched: Fetched, place: OfPlace): ReadMessage {
  const originOffset = Number(fetched.offset);
  const found = readValue(originOffset, fetched.value);
  if ('datum' in found) {
    const { rows, ...batch } = found;
    const brokerTs = brokerTsOf(fetched);
    const message = brokerTs === undefined ? batch : { ...batch, brokerTs };
    return { fetched, message, size: { rows, bytes: found.datum.length } };
  }
  const parked = { ...place, originOffset, identity: NOBODY, ...found };
  return { fetched, parked, size: { rows: 0, bytes: 0 } };
}

function readValue(
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
