/** How far a consumer group is behind the end of a topic. */
import type { Admin } from 'kafkajs';
import type { KafkaConfig } from './config.ts';
import { explain } from './errors.ts';

export interface PartitionLag {
  readonly partition: number;
  /** Oldest offset there is. */
  readonly low: number;
  /** Offset of the next message. */
  readonly high: number;
  /** Offset the group goes on at; undefined when it never committed one. */
  readonly committed: number | undefined;
  /** Messages the group has not stored. */
  readonly lag: number;
}

/** By partition. Rejects as `explain` says. */
export async function groupLag(
  admin: Admin,
  config: KafkaConfig,
  asked: { readonly topic: string; readonly group: string },
): Promise<readonly PartitionLag[]> {
  const { topic, group } = asked;
  try {
    const ends = await admin.fetchTopicOffsets(topic);
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const committed = new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    return ends
      .map((end): PartitionLag => {
        const { partition } = end;
        const [low, high, at = -1] = [Number(end.low), Number(end.high), committed.get(partition)];
        const next = at < 0 ? undefined : at;
        return { partition, low, high, committed: next, lag: high - Math.max(low, next ?? low) };
      })
      .toSorted((a, b) => a.partition - b.partition);
  } catch (error) {
    throw explain(error, config, { topic, group, operation: 'Read' });
  }
}
