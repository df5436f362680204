/** One administrator's connection, for as long as it is used. */
import type { Admin, Kafka } from 'kafkajs';
import { type ClientOptions, createKafka } from './client.ts';
import type { KafkaConfig } from './config.ts';
import { explain } from './errors.ts';

export type { Admin, PartitionMetadata } from 'kafkajs';

export interface AdminOptions extends ClientOptions {
  /** Of a part that has one already; absent: a new one. */
  readonly client?: Kafka;
}

/** Rejects with KAFKA_FILE, what `explain` makes of a refused connection, and as `use` does. */
export async function withAdmin<T>(
  config: KafkaConfig,
  use: (admin: Admin) => Promise<T>,
  options: AdminOptions = {},
): Promise<T> {
  const { client = createKafka(config, options) } = options;
  const admin = client.admin();
  try {
    await admin.connect();
    return await use(admin);
  } catch (error) {
    throw explain(error, config);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
