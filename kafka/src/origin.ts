/** The name that rows keep of the topic they came by. */
import type { Admin, Kafka } from 'kafkajs';

/** `<topic>@<cluster id>`: offsets begin anew in every cluster, and several may feed one database. */
export async function readOrigin(
  _client: Kafka,
  admin: Pick<Admin, 'describeCluster'>,
  topic: string,
): Promise<string> {
  return `${topic}@${(await admin.describeCluster()).clusterId}`;
}
