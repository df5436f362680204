/** The name that rows keep of the topic they came by: no other topic, of whatever cluster or time, has the same. */
import type { Admin, Kafka } from 'kafkajs';
import { readTopicId } from './topic-id.ts';

/** `<topic>@<topic id>`, or `<topic>@<cluster id>` where the brokers give topics no ids. Rejects as `readTopicId`. */
export async function readOrigin(
  client: Kafka,
  admin: Pick<Admin, 'describeCluster'>,
  topic: string,
): Promise<string> {
  const id = (await readTopicId(client, topic)) ?? (await admin.describeCluster()).clusterId;
  return `${topic}@${id}`;
}
