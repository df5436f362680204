/**
 * One idempotent producer from its connection to its first error.
 *
 * It is never used after an error: kafkajs takes the sequence numbers of a failed send back, so the next messages
 * would get those of a send that may have arrived, and the broker would drop them as repeated.
 */
import { type Admin, withAdmin } from '@tcptrail/kafka/admin.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { explain, kafkaError, topicMissing } from '@tcptrail/kafka/errors.ts';
import { ensureTopics, findTopic } from '@tcptrail/kafka/topics.ts';
import kafkajs, { type Kafka } from 'kafkajs';
import type { PublishSession } from './publisher.ts';

export interface SessionConfig {
  readonly kafka: KafkaConfig;
  /** Key of every message. */
  readonly hostId: string;
}

export interface SessionDeps {
  readonly client: Kafka;
  readonly onTopicMade: (name: string) => void;
}

/** A partition that was added is known so soon. */
const METADATA_MS_MAX = 30_000;

/** Rejects as `explain` and `ensureTopics` say; nothing was sent then. */
export async function openSession(config: SessionConfig, deps: SessionDeps): Promise<PublishSession> {
  const topic = config.kafka.topic.events;
  const partitions = await prepareTopic(config.kafka, deps);
  const producer = deps.client.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_MS_MAX,
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
  try {
    await producer.connect();
  } catch (error) {
    await producer.disconnect().catch(() => {});
    throw explain(error, config.kafka, { topic, operation: 'Write' });
  }
  const key = Buffer.from(config.hostId);
  return {
    partitions,
    async send(partition, values) {
      try {
        const acknowledged = await producer.send({
          topic,
          acks: -1,
          compression: kafkajs.CompressionTypes.ZSTD,
          messages: values.map((value) => ({ key, partition, value: value as Buffer })),
        });
        // A partition that is gone makes kafkajs send nothing and resolve.
        if (!acknowledged.some((one) => one.partition === partition && one.errorCode === 0)) {
          throw kafkaError(
            'KAFKA_BUSY',
            `topic ${topic} has no partition ${partition} any more; batches of this run go to another`,
          );
        }
      } catch (error) {
        throw explain(error, config.kafka, { topic, operation: 'Write' });
      }
    },
    close: () => producer.disconnect().catch(() => {}),
  };
}

/** Makes the topic if it is missing and may be made. Gives its partitions. */
async function prepareTopic(config: KafkaConfig, { client, onTopicMade }: SessionDeps): Promise<number> {
  const prepare = async (admin: Admin): Promise<number> => {
    for (const name of await ensureTopics(admin, config, [config.topic.events])) onTopicMade(name);
    const found = await findTopic(admin, config, config.topic.events);
    if (!found) throw topicMissing(config.topic.events);
    return found.length;
  };
  return await withAdmin(config, prepare, { client });
}
