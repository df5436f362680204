/** Where the group stands in each partition, with what its owner noted there. */
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { explain } from '@tcptrail/kafka/errors.ts';
import type { Admin, Kafka } from 'kafkajs';
import { type Position, positionOf } from './note.ts';

export interface Positions {
  /** The group was joined: from now on nobody else can change what the assigned partitions have. */
  joined(): void;
  /** Rejects as `explain` says. */
  of(partition: number): Promise<Position>;
  close(): Promise<void>;
}

const NOWHERE = { offset: '-1', metadata: null };

export function createPositions(
  config: { readonly kafka: KafkaConfig; readonly topic: string; readonly group: string },
  client: Pick<Kafka, 'admin'>,
): Positions {
  const { topic, group } = config;
  let connected: Promise<Admin> | undefined;
  let found: Promise<ReadonlyMap<number, Position>> | undefined;

  async function connect(): Promise<Admin> {
    const admin = client.admin();
    await admin.connect();
    return admin;
  }

  async function read(): Promise<ReadonlyMap<number, Position>> {
    try {
      connected ??= connect();
      const [of] = await (await connected).fetchOffsets({ groupId: group, topics: [topic] });
      return new Map(of?.partitions.map((each) => [each.partition, positionOf(each)]));
    } catch (error) {
      throw explain(error, config.kafka, { topic, group, operation: 'Read' });
    }
  }

  return {
    joined() {
      // At once: kafkajs overwrites a position that the topic no longer holds.
      found = read();
      found.catch(() => {});
    },
    async of(partition) {
      found ??= read();
      return (await found).get(partition) ?? positionOf(NOWHERE);
    },
    async close() {
      const admin = await connected?.catch(() => undefined);
      await admin?.disconnect().catch(() => {});
    },
  };
}
