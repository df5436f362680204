/** Where the group stands in each partition, with what its owner noted there. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { explain, isGroupMoving } from '@tcptrail/kafka/errors.ts';
import type { Kafka } from 'kafkajs';
import { type Position, positionOf } from './note.ts';

export interface Positions {
  /** Before the group is joined. Rejects as `explain` says. */
  connect(): Promise<void>;
  /** The group was joined: from now on nobody else can change what the assigned partitions have. */
  joined(): void;
  /** Rejects as `explain` says. */
  of(partition: number): Promise<Position>;
  close(): Promise<void>;
}

/** A broker that takes a group over reads its offsets first. */
const TRIES = 20;
const WAIT_MS = 250;
const NOWHERE: Position = { offset: -1, isKnown: false };

export function createPositions(
  config: {
    readonly kafka: KafkaConfig;
    readonly topic: string;
    readonly topicId: string;
    readonly group: string;
  },
  client: Pick<Kafka, 'admin'>,
): Positions {
  const { topic, topicId, group } = config;
  const admin = client.admin();
  /** kafkajs overwrites a position that the topic no longer holds, sooner than it can be read. */
  const before = new Map<number, number>();
  let found: Promise<ReadonlyMap<number, Position>> | undefined;

  async function read(): Promise<ReadonlyMap<number, Position>> {
    for (let tries = 1; ; tries++) {
      try {
        const [of] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        const positions = new Map(of?.partitions.map((each) => [each.partition, positionOf(each, topicId)]));
        for (const [partition, { offset }] of positions) if (offset >= 0) before.set(partition, offset);
        return positions;
      } catch (error) {
        if (tries === TRIES || !isGroupMoving(error))
          throw explain(error, config.kafka, { topic, group, operation: 'Read' });
        await sleep(WAIT_MS);
      }
    }
  }

  return {
    async connect() {
      await admin.connect();
      await read();
    },
    joined() {
      found = read();
      found.catch(() => {});
    },
    async of(partition) {
      found ??= read();
      const position = (await found).get(partition) ?? NOWHERE;
      const last = before.get(partition);
      return position.offset >= 0 || last === undefined ? position : { ...position, before: last };
    },
    async close() {
      await admin.disconnect().catch(() => {});
    },
  };
}
