/** A fleet on one machine: agents and consumers, each a process, around one Kafka and one embedded ClickHouse. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONSUMER_CONFIG } from '@tcptrail/consumer/config.ts';
import { createKafka } from '@tcptrail/kafka/client.ts';
import { groupLag } from '@tcptrail/kafka/lag.ts';
import type { Kafka } from 'kafkajs';
import { createTestAgent, type TestAgent } from './agent.ts';
import { type KafkaOptions, startKafka, type TestKafka } from './kafka.ts';
import { type Part, startPart } from './process.ts';
import { startServer, type TestServer } from './server.ts';

const CONSUMER = join(import.meta.dirname, '../../consumer/src/main.ts');
/** So that a killed consumer is given up soon. */
const SESSION_MS = 3_000;
const PARTITIONS = 4;

export interface TestConsumer {
  readonly part: Part;
  start(): void;
}

export interface Fleet {
  readonly kafka: TestKafka;
  readonly server: TestServer;
  /** Host ids are host-0, host-1 … */
  readonly agents: readonly TestAgent[];
  readonly consumers: readonly TestConsumer[];
  /** Rows of a query on database tcptrail; 64-bit numbers as strings. */
  rows<T>(query: string, params?: Record<string, unknown>): Promise<T[]>;
  /** A client with every right. */
  readonly admin: Kafka;
  /** Everything the agents spooled is acknowledged by Kafka, and the group has stored all of the topic. */
  caughtUp(): Promise<boolean>;
  stop(): Promise<void>;
}

export interface FleetOptions {
  readonly agents: number;
  readonly consumers: number;
  readonly agent?: object;
  readonly kafka?: KafkaOptions;
  /** Keys of the section `kafka` of agents and consumers. */
  readonly section?: object;
}

/** Kafka and ClickHouse run; agents and consumers are the caller's to start. */
export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-fleet-'));
  const kafka = await startKafka(options.kafka);
  const server = await startServer();
  const login = (username: 'admin' | 'tcptrail') =>
    options.kafka?.sasl
      ? { sasl: { mechanism: 'plain', username, password: kafka.passwords[username] } }
      : {};
  const section = {
    brokers: kafka.brokers,
    ...login('tcptrail'),
    topic: { partitions: PARTITIONS },
    ...options.section,
  };
  const agents = Array.from({ length: options.agents }, (_, index) =>
    createTestAgent(join(folder, `agent-${index}`), {
      hostId: `host-${index}`,
      hostName: `host-${index}`,
      publish: { enabled: true, retryWaitMsMax: 2_000 },
      kafka: section,
      ...options.agent,
    }),
  );
  const file = join(folder, 'consumer.yaml');
  const consumerConfig = {
    transport: 'kafka',
    clickhouse: { url: server.url },
    kafka: { ...section, sessionMs: SESSION_MS },
    metrics: { port: 0 },
  };
  writeFileSync(file, JSON.stringify(consumerConfig));
  const consumers = Array.from({ length: options.consumers }, () => createConsumer(file));
  const config = CONSUMER_CONFIG.parse({ kafka: { ...section, ...login('admin') } }).kafka;
  const client = createKafka(config);

  async function isStored(): Promise<boolean> {
    const admin = client.admin();
    try {
      await admin.connect();
      const partitions = await groupLag(admin, config, { topic: config.topic.events, group: config.group });
      return partitions.every(({ lag }) => lag === 0) && partitions.some(({ high }) => high > 0);
    } finally {
      await admin.disconnect();
    }
  }

  return {
    kafka,
    server,
    agents,
    consumers,
    admin: client,
    async rows<T>(query: string, params: Record<string, unknown> = {}) {
      const result = await server.client.query({
        query,
        query_params: params,
        format: 'JSONEachRow',
        http_headers: { 'x-clickhouse-database': 'tcptrail' },
      });
      return await result.json<T>();
    },
    caughtUp: async () => agents.every((agent) => agent.isRead('kafka')) && (await isStored()),
    async stop() {
      for (const agent of agents) await agent.stop();
      for (const consumer of consumers) await consumer.part.end();
      await server.stop();
      await kafka.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function createConsumer(file: string): TestConsumer {
  let part: Part | undefined;
  return {
    get part() {
      if (!part) throw new Error('the consumer was not started');
      return part;
    },
    start() {
      part = startPart([CONSUMER, '--config', file]);
    },
  };
}
