/**
 * The topics and how they are made. `tcptrail topic create` and a part that is allowed to do the same; the settings
 * are those of the `kafka.topic` section, and these:
 *
 *   message.timestamp.type  LogAppendTime   the broker's clock bounds what a host's clock may claim
 *   compression.type        producer        batches are stored as they were compressed
 *   min.insync.replicas     2 with 3 or more copies: an acknowledged batch survives the loss of a broker
 */
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, type PartitionMetadata } from 'kafkajs';
import type { KafkaConfig } from './config.ts';
import { explain, kafkaError, topicMissing } from './errors.ts';

export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly settings: Readonly<Record<string, string>>;
}

const KNOWN_MS_MAX = 10_000;
const KNOWN_POLL_MS = 50;
const DAY_MS = 86_400_000;
const DEAD_LETTER_RETENTION_MS = 30 * DAY_MS;
/** Room for the headers that a dead letter carries. */
const DEAD_LETTER_EXTRA_BYTES = 64 * 1024;

/** The topics as they are made where they are missing. */
export function planTopics(config: KafkaConfig): readonly TopicPlan[] {
  const { topic } = config;
  const { replicationFactor } = topic;
  const settings = {
    'cleanup.policy': 'delete',
    'compression.type': 'producer',
    'message.timestamp.type': 'LogAppendTime',
    ...(replicationFactor >= 3 ? { 'min.insync.replicas': '2' } : {}),
  };
  return [
    {
      name: topic.events,
      partitions: topic.partitions,
      replicationFactor,
      settings: {
        ...settings,
        'retention.ms': String(topic.retentionMs),
        'max.message.bytes': String(topic.messageBytesMax),
      },
    },
    {
      name: topic.deadLetter,
      partitions: 1,
      replicationFactor,
      settings: {
        ...settings,
        'retention.ms': String(Math.max(topic.retentionMs, DEAD_LETTER_RETENTION_MS)),
        'max.message.bytes': String(topic.messageBytesMax + DEAD_LETTER_EXTRA_BYTES),
      },
    },
  ];
}

/** The topic's partitions; undefined when it is not there. Throws what `explain` makes of an error. */
export async function findTopic(
  admin: Admin,
  config: KafkaConfig,
  name: string,
): Promise<readonly PartitionMetadata[] | undefined> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
    return topics[0]?.partitions;
  } catch (error) {
    const explained = explain(error, config, { topic: name, operation: 'Describe' });
    if (explained.code === 'KAFKA_TOPIC_MISSING') return undefined;
    throw explained;
  }
}

/** Makes those of `names` that are missing, if it may. Gives the names made. Throws KAFKA_TOPIC_MISSING and what `explain` makes. */
export async function ensureTopics(
  admin: Admin,
  config: KafkaConfig,
  names: readonly string[],
): Promise<readonly string[]> {
  const missing: TopicPlan[] = [];
  for (const plan of planTopics(config).filter(({ name }) => names.includes(name))) {
    if (!(await findTopic(admin, config, plan.name))) missing.push(plan);
  }
  const [first] = missing;
  if (!first) return [];
  if (!config.topic.create) throw topicMissing(first.name);
  return await createTopics(admin, config, missing);
}

/** Throws KAFKA_TOPIC_REFUSED and what `explain` makes. One that somebody made meanwhile is no error. */
export async function createTopics(
  admin: Admin,
  config: KafkaConfig,
  plans: readonly TopicPlan[],
): Promise<readonly string[]> {
  try {
    await admin.createTopics({
      // That would take a topic the brokers do not all know yet for one that is missing.
      waitForLeaders: false,
      topics: plans.map(({ name, partitions, replicationFactor, settings }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
      })),
    });
  } catch (error) {
    throw refused(error, config, plans);
  }
  for (const { name } of plans) await waitForTopic(admin, config, name);
  return plans.map(({ name }) => name);
}

/** Until the brokers know the topic's leaders. Throws KAFKA_BUSY when they do not in time. */
async function waitForTopic(admin: Admin, config: KafkaConfig, name: string): Promise<void> {
  const deadlineMs = performance.now() + KNOWN_MS_MAX;
  for (;;) {
    const partitions = await findTopic(admin, config, name);
    if (partitions?.every(({ leader }) => leader >= 0)) return;
    if (performance.now() > deadlineMs)
      throw kafkaError('KAFKA_BUSY', `topic ${name} was made, and the brokers do not know it yet; try again`);
    await sleep(KNOWN_POLL_MS);
  }
}

function refused(error: unknown, config: KafkaConfig, plans: readonly TopicPlan[]): Error {
  const inner = error instanceof kafkajs.KafkaJSAggregateError ? error.errors[0] : error;
  const { type = '', topic, message } = inner as { type?: string; topic?: string; message: string };
  const name = topic ?? plans[0]?.name ?? '';
  if (/^(INVALID_|POLICY_VIOLATION)/.test(type)) {
    return kafkaError(
      'KAFKA_TOPIC_REFUSED',
      `Kafka refuses to make topic ${name} (${type}: ${message}); change kafka.topic, or make it by hand`,
      { cause: error },
    );
  }
  return explain(inner, config, { topic: name, operation: 'Create' });
}
