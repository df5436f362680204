/** Letters on the dead-letter topic. */
import { withAdmin } from '@tcptrail/kafka/admin.ts';
import { createKafka } from '@tcptrail/kafka/client.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { groupLag } from '@tcptrail/kafka/lag.ts';
import { readOrigin } from '@tcptrail/kafka/origin.ts';
import { type KafkaMessage, readRanges } from '@tcptrail/kafka/read-ranges.ts';
import { topicOffsets } from '@tcptrail/kafka/topic-state.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Letter, LetterBox } from './letters.ts';

/** Asks the brokers what is there now. Throws KAFKA_*. */
export async function openKafkaLetters(kafka: KafkaConfig, group: string): Promise<LetterBox> {
  const client = createKafka(kafka);
  const topic = kafka.topic.deadLetter;
  const { ends, committed } = await withAdmin(
    kafka,
    async (admin) => {
      const origin = await readOrigin(client, admin, kafka.topic.events).catch(missing);
      const lags = await groupLag(admin, kafka, { topic: kafka.topic.events, group }).catch(missing);
      return {
        ends: await topicOffsets(admin, kafka, topic).catch(missing),
        committed: new Map(lags.map((lag) => [`${origin}/${lag.partition}`, lag.committed])),
      };
    },
    { client },
  );
  const ranges = ends
    .filter(({ low, high }) => high > low)
    .map(({ partition, low, high }) => ({ partition, first: low, last: high - 1 }));
  return {
    place: `topic ${topic}`,
    async each(use) {
      await readRanges(client, kafka, { topic, ranges, group }, (partition, message) => {
        use(letterOf(topic, partition, message));
      });
    },
    isBeforeConsumer({ origin, originPartition, originOffset }) {
      const next = committed.get(`${origin}/${originPartition}`);
      return next !== undefined && next <= originOffset;
    },
    remove() {},
  };
}

/** A topic that was never made holds nothing. */
function missing(error: unknown): [] {
  if (error instanceof AppError && error.code === 'KAFKA_TOPIC_MISSING') return [];
  throw error;
}

function letterOf(topic: string, partition: number, message: KafkaMessage): Letter {
  const header = (name: string): string => String(message.headers?.[name] ?? '');
  const letter = {
    id: `${partition}-${message.offset}`,
    ...(message.key === null ? {} : { key: String(message.key) }),
    parkedUs: Number(message.timestamp) * 1000,
    value: message.value,
  };
  if (header('origin') === '') {
    return {
      ...letter,
      origin: topic,
      originPartition: partition,
      originOffset: Number(message.offset),
      reason: 'ORIGIN_UNKNOWN',
      detail: 'it names no origin, so no consumer put it here: there is no place to store it under',
      form: 'foreign',
    };
  }
  return {
    ...letter,
    origin: header('origin'),
    originPartition: Number(header('origin_partition')),
    originOffset: Number(header('origin_offset')),
    reason: header('reason'),
    detail: header('detail'),
    ...(header('broker_ts') === '' ? {} : { brokerTs: Number(header('broker_ts')) }),
    form: 'message',
  };
}
