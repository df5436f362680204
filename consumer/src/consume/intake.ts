/**
 * Stores what a fetch brought of one partition: range by range, under a lease, with heartbeats meanwhile. What a former
 * owner of the partition began is finished first, as the range that it was.
 */
import { isMetadataTooLarge } from '@tcptrail/kafka/errors.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Logger } from 'pino';
import { failure } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { type DeadLetter, type DeadLetters, lettersOf } from './dead-letter.ts';
import { type BeatConfig, startBeat } from './heartbeat.ts';
import { digestOf, type Fetched, halvesOf, type KafkaRange, rangesOf, wholeRangeOf } from './kafka-batch.ts';
import type { HeldLease, Membership } from './lease.ts';
import { type Begun, noteOf, type Position } from './note.ts';
import type { Fill, RangeHandler } from './transport.ts';

/** What kafkajs hands to `eachBatch`, as far as it is used. */
export interface FetchedBatch {
  readonly batch: {
    readonly topic: string;
    readonly partition: number;
    readonly highWatermark: string;
    readonly messages: readonly Fetched[];
  };
  heartbeat(): Promise<void>;
  resolveOffset(offset: string): void;
  commitOffsetsIfNecessary(offsets: {
    topics: { topic: string; partitions: { partition: number; offset: string; metadata: string }[] }[];
  }): Promise<void>;
  /** Of the partition; gives what ends the pause. */
  pause(): () => void;
}

export interface IntakeDeps {
  readonly handler: RangeHandler;
  readonly membership: Membership;
  readonly deadLetters: Pick<DeadLetters, 'put'>;
  readonly createFill: () => Fill;
  /** The name that rows keep of the topic. */
  readonly origin: string;
  readonly topicId: string;
  /** Where the group stands, as of a moment after it was joined. */
  readonly positionOf: (partition: number) => Promise<Position>;
  /** Rejects with CONSUMER_TOPIC_ANEW when what the partition has sent may be of another topic than `origin` names. */
  readonly assertSameTopic: (partition: number) => Promise<void>;
  /** Lets the partition be read from there on. */
  readonly seek: (partition: number, offset: number) => void;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'lagMessages' | 'expiredMessages'>;
  /** Aborted when the consumer is to end: the range in hand is finished. */
  readonly ending: AbortSignal;
  readonly onCommitted: (partition: number) => void;
  /** The ledger does not agree: nothing of the partition moves until a person has looked. */
  readonly onStopped: (error: AppError, partition: number) => void;
}

/**
 * Resolves when everything is committed, or what is left must come again. Rejects with CONSUMER_LETTER_REFUSED when the
 * partition is to wait and comes again from the first message that is not committed, else with what kafkajs is to handle.
 */
export type Intake = (fetched: FetchedBatch) => Promise<void>;

/** What is known of a partition since it was assigned. */
interface Held {
  readonly lease: HeldLease;
  isKnown: boolean;
  /** What is read is not what follows the group's position. */
  isFormer: boolean;
  /** Offset of the next message to store; undefined when the group has no position. */
  next: number | undefined;
  begun: Begun | undefined;
  /** Of `begun`, as far as they came. */
  messages: Fetched[];
}

export function createIntake(config: BeatConfig, deps: IntakeDeps): Intake {
  const { handler, membership, deadLetters, log, metrics } = deps;
  const partitions = new Map<number, Held>();

  async function heldOf(partition: number, lease: HeldLease): Promise<Held> {
    const known = partitions.get(partition);
    if (known?.lease.signal === lease.signal) return known;
    const { offset, isKnown, begun, before, isFormer = false } = await deps.positionOf(partition);
    const next = offset < 0 ? before : offset;
    const held: Held = { lease, isKnown, isFormer, next, begun, messages: [] };
    partitions.set(partition, held);
    return held;
  }

  async function commit(
    { batch, ...fetched }: FetchedBatch,
    held: Held,
    at: { readonly offset: string; readonly note: string },
  ): Promise<void> {
    const { topic, partition } = batch;
    held.lease.assertHeld();
    const committed = [{ partition, offset: at.offset, metadata: at.note }];
    try {
      await fetched.commitOffsetsIfNecessary({ topics: [{ topic, partitions: committed }] });
    } catch (error) {
      if (!isMetadataTooLarge(error)) throw error;
      throw failure(
        'STORE_RANGE_TOO_LARGE',
        `the brokers do not keep the ${at.note.length} bytes that are to be noted beside an offset of ${topic}; set offset.metadata.max.bytes=4096 on them, as it is by default`,
        { cause: error },
      );
    }
    held.isKnown = true;
  }

  async function take(
    fetched: FetchedBatch,
    held: Held,
    range: KafkaRange,
    begun?: Pick<Begun, 'plan'>,
  ): Promise<void> {
    const { batch } = fetched;
    const { lease } = held;
    const place = { origin: deps.origin, originPartition: batch.partition };
    const offset = String(BigInt(range.lastOffset) + 1n);
    assertForward(held, range, batch.partition);
    const fence = {
      isKnown: held.isKnown,
      ...(begun ? { begun: begun.plan } : {}),
      digest: () => digestOf(range.fetched),
      note: (plan: string) =>
        commit(fetched, held, {
          offset: range.firstOffset,
          note: noteOf(deps.topicId, { end: Number(offset), plan }),
        }),
    };
    const isFirst = membership.isFirst(batch.partition);
    const { messages, parked } = range;
    try {
      const parkedToo = await handler({ ...place, messages, parked, lease, isFirst, fence });
      await keep(lettersOf(range.fetched, [...parked, ...parkedToo]), batch.partition);
    } catch (error) {
      const isDivisible =
        error instanceof AppError && ['STORE_ROWS_REFUSED', 'STORE_RANGE_TOO_LARGE'].includes(error.code);
      const halves = isDivisible ? halvesOf(range, place) : undefined;
      if (!halves) throw error;
      for (const half of halves) await take(fetched, held, half);
      return;
    }
    lease.assertHeld();
    fetched.resolveOffset(range.lastOffset);
    held.next = Number(offset);
    await commit(fetched, held, { offset, note: noteOf(deps.topicId) });
    deps.onCommitted(batch.partition);
    tellBehind(batch, Number(offset));
  }

  async function keep(letters: readonly DeadLetter[], partition: number): Promise<void> {
    try {
      await deadLetters.put(letters);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      throw failure(
        'CONSUMER_LETTER_REFUSED',
        `partition ${partition} waits, as what cannot be stored of it is not kept: ${error.message}`,
        { cause: error },
      );
    }
  }

  /** What of the batch follows what was begun; undefined while more of that is to come. */
  async function finishBegun(fetched: FetchedBatch, held: Held): Promise<readonly Fetched[] | undefined> {
    const { messages, topic, partition } = fetched.batch;
    const { begun } = held;
    if (!begun) return messages;
    const known = Number(held.messages.at(-1)?.offset ?? -1);
    const of = messages.filter(({ offset }) => Number(offset) < begun.end);
    held.messages.push(...of.filter(({ offset }) => Number(offset) > known));
    const [first, last] = [held.messages[0], held.messages.at(-1)];
    const rest = messages.slice(of.length);
    if (first && last) {
      if (rest.length === 0 && Number(last.offset) + 1 < begun.end) {
        // Only the reading goes on: what is committed stays before the range.
        fetched.resolveOffset(last.offset);
        return undefined;
      }
      const isWhole = Number(first.offset) === held.next;
      if (!isWhole) {
        log.warn(
          { partition },
          `${topic} ${partition} no longer holds all that was begun (from ${held.next}); the ledger is asked by message`,
        );
        held.isKnown = false;
      }
      const place = { origin: deps.origin, originPartition: partition };
      await take(fetched, held, wholeRangeOf(held.messages, place), isWhole ? begun : undefined);
    }
    held.begun = undefined;
    held.messages = [];
    return rest;
  }

  /** From the first message that is not committed. What was begun is stored by now, or was refused whole. */
  function comeAgain(partition: number): void {
    const held = partitions.get(partition);
    if (held?.next === undefined) return;
    held.begun = undefined;
    held.messages = [];
    deps.seek(partition, held.next);
  }

  /** Tells what is gone. Throws CONSUMER_TOPIC_REWOUND. */
  function assertForward(held: Held, range: KafkaRange, partition: number): void {
    const first = Number(range.firstOffset);
    held.next ??= first;
    const { next } = held;
    if (first < next) {
      throw failure(
        'CONSUMER_TOPIC_REWOUND',
        `partition ${partition} goes on at message ${first}, before ${next}: the brokers lost messages`,
      );
    }
    if (first === next) return;
    metrics.expiredMessages.inc(first - next);
    held.next = first;
    log.error(
      { partition },
      `partition ${partition} no longer holds messages ${next}-${first - 1}: they aged away before they were read; lengthen retention.ms of the topic`,
    );
  }

  /** `next`: the first message that is not stored. */
  function tellBehind({ partition, highWatermark }: FetchedBatch['batch'], next: number): void {
    metrics.lagMessages.set({ partition: String(partition) }, Math.max(0, Number(highWatermark) - next));
  }

  return async (fetched) => {
    const { batch } = fetched;
    // A fetch may have waited long, and nobody sends heartbeats meanwhile.
    await fetched.heartbeat();
    if (batch.messages[0]) tellBehind(batch, Number(batch.messages[0].offset));
    const lease = membership.lease();
    const beat = startBeat(fetched.heartbeat, lease, config);
    const isToEnd = (): boolean => deps.ending.aborted || beat.isYielding();
    try {
      await deps.assertSameTopic(batch.partition);
      const held = await heldOf(batch.partition, lease);
      if (held.isFormer) {
        held.isFormer = false;
        deps.seek(batch.partition, 0);
        return;
      }
      if (isToEnd()) return;
      const rest = await finishBegun(fetched, held);
      if (!rest) return;
      const place = { origin: deps.origin, originPartition: batch.partition };
      for (const range of rangesOf(rest, place, deps.createFill())) {
        if (isToEnd()) return;
        await take(fetched, held, range);
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'CONSUMER_PARTITION_LOST') {
        log.warn({ partition: batch.partition }, error.message);
        // By the clock alone nobody joins again, and what was begun, and may be under way, is read at a join.
        if (!lease.signal.aborted) throw error;
      } else if (error.code === 'STORE_LEDGER') {
        fetched.pause();
        deps.onStopped(error, batch.partition);
      } else if (error.code === 'CONSUMER_LETTER_REFUSED') {
        comeAgain(batch.partition);
        throw error;
      } else throw error;
    } finally {
      beat.end();
    }
  };
}
