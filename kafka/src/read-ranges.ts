/** Messages of a topic by their offsets, without leaving a trace in any group. */
import { randomUUID } from 'node:crypto';
import type { Kafka, KafkaMessage } from 'kafkajs';
import type { KafkaConfig } from './config.ts';
import { explain, kafkaError } from './errors.ts';

export type { KafkaMessage } from 'kafkajs';

export interface OffsetRange {
  readonly partition: number;
  readonly first: number;
  /** Included. */
  readonly last: number;
}

export interface RangesAsked {
  readonly topic: string;
  /** In order and apart from each other within a partition; each offset still in the topic. */
  readonly ranges: readonly OffsetRange[];
  /** Consumer group whose name the reader's own begins with: a right that is granted by prefix covers both. */
  readonly group: string;
}

/** Brokers that answer bring something sooner. */
const SILENCE_MS_MAX = 20_000;
const WAIT_MS = 100;

/**
 * Resolves when `onMessage` was given every message of the ranges that is there. Rejects as `explain` says, with
 * KAFKA_BUSY when the brokers bring nothing more, and as `onMessage` does.
 */
export async function readRanges(
  client: Kafka,
  config: KafkaConfig,
  asked: RangesAsked,
  onMessage: (partition: number, message: KafkaMessage) => void,
): Promise<void> {
  const { topic } = asked;
  const left = byPartition(asked.ranges);
  if (left.size === 0) return;
  const group = `${asked.group}-reader`;
  const groupId = `${group}-${randomUUID()}`;
  const consumer = client.consumer({ groupId, maxWaitTimeInMs: WAIT_MS, allowAutoTopicCreation: false });
  const done = Promise.withResolvers<void>();
  const silence = setTimeout(
    () => done.reject(kafkaError('KAFKA_BUSY', `topic ${topic} brings no more of what it holds; try again`)),
    SILENCE_MS_MAX,
  );

  /** Gives what is asked for of a fetch; the offset to go on at, undefined when the partition is done. */
  function take(partition: number, messages: readonly KafkaMessage[]): number | undefined {
    const ranges = left.get(partition) ?? [];
    for (const message of messages) {
      const offset = Number(message.offset);
      while (ranges[0] && ranges[0].last < offset) ranges.shift();
      if (ranges[0] && ranges[0].first <= offset) onMessage(partition, message);
      if (ranges[0]?.last === offset) ranges.shift();
    }
    if (ranges.length === 0) left.delete(partition);
    return ranges[0] && Math.max(ranges[0].first, Number(messages.at(-1)?.offset ?? -1) + 1);
  }

  try {
    consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, pause }) => {
        silence.refresh();
        const { partition, messages } = batch;
        try {
          const next = take(partition, messages);
          if (next === undefined) pause();
          else consumer.seek({ topic, partition, offset: String(next) });
          if (left.size === 0) done.resolve();
        } catch (error) {
          done.reject(error);
        }
      },
    });
    for (const [partition, [first]] of left)
      consumer.seek({ topic, partition, offset: String(first?.first ?? 0) });
    await done.promise;
  } catch (error) {
    throw explain(error, config, { topic, group, isGroupPrefix: true, operation: 'Read' });
  } finally {
    clearTimeout(silence);
    await consumer.disconnect().catch(() => {});
  }
}

function byPartition(ranges: readonly OffsetRange[]): Map<number, OffsetRange[]> {
  const found = new Map<number, OffsetRange[]>();
  for (const range of ranges) found.set(range.partition, [...(found.get(range.partition) ?? []), range]);
  return found;
}
