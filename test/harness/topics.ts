/** Topics of a test's own. */
import type { Admin, ITopicConfig } from 'kafkajs';
import { until } from './until.ts';

/** As tcptrail makes them: the broker's clock stamps what it takes. */
const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];

/** Resolves when each has its leaders: the client itself gives up where a broker does not know yet what it has made. */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({
    topics: topics.map((topic) => ({ configEntries, ...topic })),
    waitForLeaders: false,
  });
  for (const { topic } of topics) {
    const hasLeaders = () =>
      admin.fetchTopicOffsets(topic).then(
        () => true,
        () => false,
      );
    await until(`leaders of ${topic}`, hasLeaders);
  }
}
