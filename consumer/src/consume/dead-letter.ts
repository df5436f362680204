/** Messages that cannot be stored, byte for byte on a topic of their own, with where they came from and why. */
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { explain } from '@tcptrail/kafka/errors.ts';
import kafkajs, { type Kafka, type Producer } from 'kafkajs';
import { brokerTsOf, type Fetched } from './kafka-batch.ts';
import type { ParkedBatch } from './transport.ts';

export interface DeadLetter {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** When the broker took it, µs: a retry files it by that, too. */
  readonly brokerTs: number | undefined;
  readonly parked: ParkedBatch;
}

export interface DeadLetters {
  /** Resolves when all in-sync replicas have them; one may come twice after a crash. Rejects as `explain` says. */
  put(letters: readonly DeadLetter[]): Promise<void>;
  close(): Promise<void>;
}

export function createDeadLetters(config: KafkaConfig, client: Kafka): DeadLetters {
  const topic = config.topic.deadLetter;
  let producer: Producer | undefined;

  async function close(): Promise<void> {
    const open = producer;
    producer = undefined;
    await open?.disconnect().catch(() => {});
  }

  return {
    async put(letters) {
      if (letters.length === 0) return;
      try {
        if (!producer) {
          producer = client.producer({ allowAutoTopicCreation: false });
          await producer.connect();
        }
        // Each by itself: the topic takes a letter as large as a message, not any number of them.
        for (const { key, value, brokerTs, parked } of letters) {
          await producer.send({
            topic,
            acks: -1,
            compression: kafkajs.CompressionTypes.ZSTD,
            messages: [{ key, value, headers: headersOf(parked, brokerTs) }],
          });
        }
      } catch (error) {
        await close();
        throw explain(error, config, { topic, operation: 'Write' });
      }
    },
    close,
  };
}

/** What was parked of a fetch, with its bytes. */
export function lettersOf(
  fetched: readonly Fetched[],
  parked: readonly ParkedBatch[],
): readonly DeadLetter[] {
  const at =
    parked.length > 0 ? new Map(fetched.map((message) => [Number(message.offset), message])) : undefined;
  return parked.map((one) => {
    const message = at?.get(one.originOffset);
    const brokerTs = message && brokerTsOf(message);
    return { key: message?.key ?? null, value: message?.value ?? null, brokerTs, parked: one };
  });
}

function headersOf(parked: ParkedBatch, brokerTs: number | undefined): Record<string, string> {
  return {
    origin: parked.origin,
    origin_partition: String(parked.originPartition),
    origin_offset: String(parked.originOffset),
    reason: parked.reason,
    detail: parked.detail,
    ...(brokerTs === undefined ? {} : { broker_ts: String(brokerTs) }),
  };
}
