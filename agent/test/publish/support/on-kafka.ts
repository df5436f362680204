/** The publisher of an agent on a real Kafka, and what a topic then holds. */
import { statSync } from 'node:fs';
import { kafkaKeys } from '@tcptrail/kafka/config.ts';
import { topicOffsets } from '@tcptrail/kafka/topic-state.ts';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { unframe } from '@tcptrail/schemas/single-object.ts';
import type { Kafka } from 'kafkajs';
import { until } from '../../../../test/harness/until.ts';
import type { MadeSpool } from '../../../../test/spool-writer.ts';
import { createKafkaPublisher } from '../../../src/publish/kafka.ts';
import { cursorOf, heard, UNPACED } from './broker.ts';

/** Runs at once; `section` is the section `kafka` of the agent. */
export function startOn(section: object, spool: MadeSpool, change: { replaySpeedMax?: number } = {}) {
  const told: string[] = [];
  const tell = (error: AppError): void => void told.push(`${error.code}: ${error.message}`);
  /** Messages of each. */
  const requests: number[] = [];
  const publisher = createKafkaPublisher(
    {
      ...UNPACED,
      ...change,
      kafka: kafkaKeys.parse(section),
      spoolPath: spool.path,
      hostId: 'host-a',
      bootId: 'boot-1',
      agentEpoch: spool.agentEpoch,
    },
    {
      ...heard,
      published: (sent) => {
        requests.push(sent.messages);
      },
      publishFailed: tell,
      kafkaFileUnfit: tell,
      topicMade() {},
    },
  );
  publisher.start();
  return {
    /** What went wrong, in order. */
    told,
    put(...batch: Parameters<MadeSpool['batch']>): void {
      spool.batch(...batch);
      publisher.wake();
    },
    requests,
    published: () => requests.reduce((sum, messages) => sum + messages, 0),
    caughtUp: () =>
      until(
        'all of the spool to be acknowledged',
        () => cursorOf(spool).position === statSync(spool.file).size,
      ),
    stop: () => publisher.stop(10_000),
  };
}

export interface StoredBatch {
  readonly seq: number;
  readonly maybeDuplicate: boolean;
}

/** Batches of partition 0, in the order of the topic. */
export async function valuesOf(client: Kafka, topic: string): Promise<readonly StoredBatch[]> {
  const admin = client.admin();
  await admin.connect();
  const [end] = await topicOffsets(admin, kafkaKeys.parse({}), topic);
  await admin.disconnect();
  const count = (end?.high ?? 0) - (end?.low ?? 0);
  const found: StoredBatch[] = [];
  const consumer = client.consumer({ groupId: `reads-${topic}` });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      async eachMessage({ message }) {
        const { envelope } = decodeEnvelope(unframe(message.value ?? Buffer.alloc(0)).datum);
        found.push({ seq: envelope.batch_seq, maybeDuplicate: envelope.maybe_duplicate });
      },
    });
    await until('the topic to be read', () => found.length >= count);
  } finally {
    await consumer.disconnect();
  }
  return found;
}
