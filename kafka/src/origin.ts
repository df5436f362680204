/** The name that rows keep of the topic they came by: no other topic, of whatever cluster or time, has the same. */
import type { Admin, Kafka } from 'kafkajs';
import { createTopicId } from './topic-id.ts';

/** `<topic>@<topic id>`, or `<topic>@<cluster id>` where the brokers give topics no ids. Rejects as `TopicId.read`. */
export async function readOrigin(
  client: Kafka,
  admin: Pick<Admin, 'describeCluster'>,
  topic: string,
): Promise<string> {
  const topicId = createTopicId(client, topic);
  try {
    return originOf(topic, (await topicId.read()) ?? (await admin.describeCluster()).clusterId);
  } finally {
    await topicId.close();
  }
}

export const originOf = (topic: string, id: string): string => `${topic}@${id}`;
