/**
 * Whether the user may write to a topic, found out without writing.
 *
 * The brokers look at the right first, then at the rest of the request; this one asks for acknowledgements that do
 * not exist, so it is refused in any case, and nothing is appended:
 *
 *   Produce: acks = 2  →  TOPIC_AUTHORIZATION_FAILED, or else INVALID_REQUIRED_ACKS
 */
import { createKafka } from './client.ts';
import type { KafkaConfig } from './config.ts';
import { explain } from './errors.ts';

const NO_SUCH_ACKS = 2;

/** Resolves when the user may. Rejects with KAFKA_NOT_AUTHORISED and what else `explain` makes. */
export async function assertMayWrite(config: KafkaConfig, topic: string): Promise<void> {
  const producer = createKafka(config).producer({ allowAutoTopicCreation: false, retry: { retries: 0 } });
  try {
    await producer.connect();
    await producer.send({ topic, acks: NO_SUCH_ACKS, messages: [{ partition: 0, value: null }] });
  } catch (error) {
    if ((error as { readonly type?: string }).type === 'INVALID_REQUIRED_ACKS') return;
    throw explain(error, config, { topic, operation: 'Write' });
  } finally {
    await producer.disconnect().catch(() => {});
  }
}
