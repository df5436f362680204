/** How far the consumer group came, and what it could not store. */
import type { Admin } from '@tcptrail/kafka/admin.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { describeGroup } from '@tcptrail/kafka/group.ts';
import { groupLag } from '@tcptrail/kafka/lag.ts';
import { messagesIn, topicOffsets } from '@tcptrail/kafka/topic-state.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { count, plural } from '../terminal/human.ts';
import { type Check, ok, refused, warn } from './check.ts';

/** A message is a batch of up to `batch.rowsMax` events; a consumer that keeps up has a few in hand. */
export const BEHIND_WARN = 1_000;

export async function groupCheck(admin: Admin, kafka: KafkaConfig, group: string): Promise<Check> {
  const name = 'consumer group';
  try {
    const lags = await groupLag(admin, kafka, { topic: kafka.topic.events, group });
    const { members } = await describeGroup(admin, kafka, group);
    const behind = lags.reduce((sum, { lag }) => sum + lag, 0);
    const found = `${group}: ${plural(members.length, 'member')}, ${plural(behind, 'message')} behind`;
    if (members.length === 0)
      return warn(
        name,
        `${found}: nobody reads`,
        "start 'tcptrail consumer' with transport: kafka, or 'tcptrail up --kafka'",
      );
    if (behind <= BEHIND_WARN) return ok(name, found);
    return warn(
      name,
      `${found}, more than ${count(BEHIND_WARN)}`,
      'if it grows, start more consumers (at most one a partition), or see what the consumer logs say',
    );
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return refused(name, error);
  }
}

export async function deadLetterCheck(admin: Admin, kafka: KafkaConfig): Promise<Check> {
  const name = 'dead letters';
  const topic = kafka.topic.deadLetter;
  try {
    const letters = messagesIn(await topicOffsets(admin, kafka, topic));
    if (letters === 0) return ok(name, `none in ${topic}`);
    return warn(
      name,
      `${plural(letters, 'message')} in ${topic} could not be stored`,
      "'tcptrail dlq list' says which and why; retry them there, or discard them",
    );
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'KAFKA_TOPIC_MISSING') return ok(name, `none: topic ${topic} is not there yet`);
    return refused(name, error);
  }
}
