/** The publisher on Kafka. Loaded late: most agents of a single machine never publish. */
import { createKafka } from '@tcptrail/kafka/client.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { createPublisher, type Publisher, type PublisherConfig, type PublishNotices } from './publisher.ts';
import { openSession } from './session.ts';

export interface KafkaPublisherConfig extends PublisherConfig {
  readonly kafka: KafkaConfig;
}

export interface KafkaPublisherNotices extends PublishNotices {
  topicMade(name: string): void;
  kafkaFileUnfit(error: AppError): void;
}

/** Connects to nothing yet. Throws KAFKA_FILE. */
export function createKafkaPublisher(
  config: KafkaPublisherConfig,
  notices: KafkaPublisherNotices,
): Publisher {
  const { kafka, hostId } = config;
  const client = createKafka(kafka, {
    // Each broker of the list is asked; then it is the publisher that waits, as a fleet that is paced must.
    retriesMax: kafka.brokers.length,
    onUnfit: notices.kafkaFileUnfit,
  });
  return createPublisher(config, {
    openSession: () => openSession({ kafka, hostId }, { client, onTopicMade: notices.topicMade }),
    notices,
  });
}
