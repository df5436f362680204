/** How far a consumer group is behind the end of a topic. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import type { KafkaConfig } from './config.ts';
import { explain, isGroupMoving } from './errors.ts';
import { type PartitionOffsets, topicOffsets } from './topic-state.ts';

export interface PartitionLag extends PartitionOffsets {
  /** Offset the group goes on at; undefined when it never committed one. */
  readonly committed: number | undefined;
  /** Messages the group has not stored. */
  readonly lag: number;
}

/** Five seconds with the wait: a broker that came back has read its groups long before. */
const TRIES = 20;
const WAIT_MS = 250;

/** By partition. A group that moves between brokers is asked for again, for a while. Rejects as `explain` says. */
export async function groupLag(
  admin: Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>,
  config: KafkaConfig,
  asked: {
    readonly topic: string;
    readonly group: string;
    /** Whether an offset with that note beside it is of this topic, not of one before it. */
    readonly isOfTopic?: (note: string | null) => boolean;
  },
  { waitMs = WAIT_MS }: { readonly waitMs?: number } = {},
): Promise<readonly PartitionLag[]> {
  const { topic, group, isOfTopic = () => true } = asked;
  for (let tries = 1; ; tries++) {
    try {
      const ends = await topicOffsets(admin, config, topic);
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      const ours = found?.partitions.filter(({ metadata }) => isOfTopic(metadata));
      const committed = new Map(ours?.map(({ partition, offset }) => [partition, Number(offset)]));
      return ends.map((end): PartitionLag => {
        const at = committed.get(end.partition) ?? -1;
        const next = at < 0 ? undefined : at;
        return { ...end, committed: next, lag: end.high - Math.max(end.low, next ?? end.low) };
      });
    } catch (error) {
      if (tries === TRIES || !isGroupMoving(error))
        throw explain(error, config, { topic, group, operation: 'Read' });
      await sleep(waitMs);
    }
  }
}
