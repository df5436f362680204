/** A topic as it is: partitions, copies, settings, messages. */
import kafkajs, { type Admin, type PartitionMetadata } from 'kafkajs';
import type { KafkaConfig } from './config.ts';
import { explain } from './errors.ts';
import type { Settings } from './settings.ts';

/** Settings in force, the brokers' defaults among them. Rejects as `explain` says. */
export async function readSettings(admin: Admin, config: KafkaConfig, topic: string): Promise<Settings> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    });
    const entries = resources[0]?.configEntries ?? [];
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
  } catch (error) {
    throw explain(error, config, { topic, operation: 'DescribeConfigs' });
  }
}

export interface PartitionOffsets {
  readonly partition: number;
  /** Oldest offset there is. */
  readonly low: number;
  /** Offset of the next message. */
  readonly high: number;
}

/** By partition. Rejects as `explain` says. */
export async function topicOffsets(
  admin: Pick<Admin, 'fetchTopicOffsets'>,
  config: KafkaConfig,
  topic: string,
): Promise<readonly PartitionOffsets[]> {
  try {
    const ends = await admin.fetchTopicOffsets(topic);
    return ends
      .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
      .toSorted((a, b) => a.partition - b.partition);
  } catch (error) {
    throw explain(error, config, { topic, operation: 'Describe' });
  }
}

export function messagesIn(offsets: readonly Pick<PartitionOffsets, 'low' | 'high'>[]): number {
  return offsets.reduce((sum, { low, high }) => sum + high - low, 0);
}

/** Partitions of which a copy is missing or behind. */
export function outOfSync(partitions: readonly PartitionMetadata[]): readonly number[] {
  return partitions
    .filter(({ replicas, isr, leader }) => leader < 0 || isr.length < replicas.length)
    .map(({ partitionId }) => partitionId)
    .toSorted((a, b) => a - b);
}
