/** A spooled batch as Kafka messages: framed, marked, and split when it has more events than the topic takes. */
import { batchTimeOf, decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { FRAME_BYTES, frame } from '@tcptrail/schemas/single-object.ts';
import { splitBatch } from '@tcptrail/schemas/split-batch.ts';

export interface Message {
  /** Avro single-object encoding of one batch or a part of one. */
  readonly value: Buffer;
  readonly datum: Uint8Array;
}

export interface MessageOptions {
  /** It may have been sent before. */
  readonly maybeDuplicate: boolean;
  readonly partEventsMax: number;
}

/** In the order of the events. */
export function messagesOf(datum: Uint8Array, options: MessageOptions): Message[] {
  const halves = tooLong(datum, options.partEventsMax) ? splitBatch(datum) : undefined;
  if (halves) return halves.flatMap((half) => messagesOf(half, options));
  const value = frame(datum);
  // maybe_duplicate is the first field, a boolean of one byte.
  if (options.maybeDuplicate) value[FRAME_BYTES] = 1;
  return [{ value, datum }];
}

/** 0 when it does not decode: then the consumer, which keeps such a batch aside, is to have it whole. */
export function eventsIn(datum: Uint8Array): number {
  try {
    return decodeEnvelope(datum).events.count;
  } catch {
    return 0;
  }
}

/** When the batch was closed, µs; undefined when it does not decode. */
export function closedUsOf(datum: Uint8Array): number | undefined {
  try {
    return batchTimeOf(datum);
  } catch {
    return undefined;
  }
}

function tooLong(datum: Uint8Array, eventsMax: number): boolean {
  return eventsMax !== Number.POSITIVE_INFINITY && eventsIn(datum) > eventsMax;
}
