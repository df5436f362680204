/** A spooled batch as Kafka messages: framed, marked, and split when it has more events than the topic takes. */
import { batchTimeOf, decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { CURRENT_FINGERPRINT } from '@tcptrail/schemas/generated/fingerprints.ts';
import { FRAME_BYTES, frameAs } from '@tcptrail/schemas/single-object.ts';
import { splitBatch } from '@tcptrail/schemas/split-batch.ts';

export interface Message {
  /** Avro single-object encoding of one batch or a part of one. */
  readonly value: Buffer;
  readonly datum: Uint8Array;
  /** Of the schema it was spooled with. */
  readonly fingerprint: string;
}

export interface MessageOptions {
  /** It may have been sent before. */
  readonly maybeDuplicate: boolean;
  readonly partEventsMax: number;
}

type Batch = Pick<Message, 'datum' | 'fingerprint'>;

/** In the order of the events. */
export function messagesOf({ datum, fingerprint }: Batch, options: MessageOptions): Message[] {
  const halves = tooLong({ datum, fingerprint }, options.partEventsMax) ? splitBatch(datum) : undefined;
  if (halves) return halves.flatMap((half) => messagesOf({ datum: half, fingerprint }, options));
  const value = frameAs(fingerprint, datum);
  // maybe_duplicate is the first field, a boolean of one byte.
  if (options.maybeDuplicate) value[FRAME_BYTES] = 1;
  return [{ value, datum, fingerprint }];
}

/**
 * 0 when it does not decode, or was spooled by an agent of another release, whose schema the consumer knows and this
 * program does not: then the consumer is to have it whole.
 */
export function eventsIn({ datum, fingerprint }: Batch): number {
  if (fingerprint !== CURRENT_FINGERPRINT) return 0;
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

function tooLong(batch: Batch, eventsMax: number): boolean {
  return eventsMax !== Number.POSITIVE_INFINITY && eventsIn(batch) > eventsMax;
}
