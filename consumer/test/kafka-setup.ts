/** A consumer process between a Kafka and a ClickHouse. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { groupLag } from '@tcptrail/kafka/lag.ts';
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs';
import type { TestKafka } from '../../test/harness/kafka.ts';
import { type Part, startPart } from '../../test/harness/process.ts';
import type { TestServer } from '../../test/harness/server.ts';
import { until } from '../../test/harness/until.ts';
import { HOST, temporaryFolder } from '../../test/spool-writer.ts';
import { CONSUMER_CONFIG } from '../src/config.ts';

export const MAIN = join(import.meta.dirname, '../src/main.ts');

/** What runs for all tests of a file. */
export interface Parts {
  readonly broker: TestKafka;
  readonly server: TestServer;
  readonly client: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;
}

export interface Setup {
  readonly topic: string;
  readonly deadLetter: string;
  readonly group: string;
  readonly database: string;
  /** The consumer's configuration. */
  readonly file: string;
  start(args?: readonly string[], env?: NodeJS.ProcessEnv): Part;
  /** Puts the values on partition 0. */
  send(...values: (Uint8Array | null)[]): Promise<void>;
  rows<T>(query: string): Promise<T[]>;
  counts(): Promise<{ n: number; u: number; b: number }>;
  isDrained(): Promise<boolean>;
}

let setups = 0;

/** Topics, a group and a database of the test's own. */
export async function setUpKafka(
  { broker, server, admin, producer }: Parts,
  change: { sessionMs?: number; batch?: object; partitions?: number } = {},
): Promise<Setup> {
  const name = `test-${++setups}`;
  const database = `kafka_${setups}`;
  const [topic, deadLetter, group] = [`${name}.events`, `${name}.dead_letter`, `${name}-consumer`];
  await admin.createTopics({
    topics: [{ topic, numPartitions: change.partitions ?? 1 }, { topic: deadLetter }],
    waitForLeaders: true,
  });
  const file = join(temporaryFolder(), 'consumer.yaml');
  const config = {
    transport: 'kafka',
    clickhouse: { url: server.url, database, requestWaitMsMax: 5_000 },
    kafka: {
      brokers: broker.brokers,
      topic: { events: topic, deadLetter },
      group,
      sessionMs: change.sessionMs ?? 3_000,
    },
    batch: { insertMsMin: 50, ...change.batch },
    metrics: { port: 0 },
  };
  writeFileSync(file, JSON.stringify(config));
  const kafka = CONSUMER_CONFIG.parse(config).kafka;
  const setup: Setup = {
    topic,
    deadLetter,
    group,
    database,
    file,
    start(args = [], env = {}) {
      const consumer = startPart([MAIN, '--config', file, ...args], env);
      after(() => consumer.end('SIGKILL'));
      return consumer;
    },
    async send(...values) {
      const messages = values.map((value) => ({ key: HOST, value: value as Buffer | null, partition: 0 }));
      await producer.send({ topic, acks: -1, compression: kafkajs.CompressionTypes.ZSTD, messages });
    },
    async rows(query) {
      const result = await server.client.query({
        query: query.replaceAll('{db}', database),
        format: 'JSONEachRow',
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
      });
      return await result.json();
    },
    async counts() {
      const [row] = await setup.rows<{ n: number; u: number; b: number }>(
        `SELECT count() AS n, uniqExact(agent_epoch, cpu, seq) AS u, (SELECT count() FROM {db}.tcp_batches) AS b
         FROM {db}.tcp_events`,
      );
      assert.ok(row);
      return row;
    },
    async isDrained() {
      const lags = await groupLag(admin, kafka, { topic, group });
      return lags.every(({ lag, committed }) => lag === 0 && committed !== undefined);
    },
  };
  return setup;
}

/** What is on the dead-letter topic. */
export async function deadLettersOf(
  { deadLetter, group }: Setup,
  { client, admin }: Parts,
): Promise<{ value: Buffer | null; headers: Record<string, string> }[]> {
  const [end] = await admin.fetchTopicOffsets(deadLetter);
  const wanted = Number(end?.high ?? 0);
  const consumer = client.consumer({ groupId: `${group}-dead`, maxWaitTimeInMs: 100 });
  const found: { value: Buffer | null; headers: Record<string, string> }[] = [];
  await consumer.subscribe({ topics: [deadLetter], fromBeginning: true });
  await consumer.run({
    async eachMessage({ message }) {
      const headers = Object.entries(message.headers ?? {}).map(([key, value]) => [key, String(value)]);
      found.push({ value: message.value, headers: Object.fromEntries(headers) });
    },
  });
  await until('all dead letters', () => found.length >= wanted);
  await consumer.disconnect();
  return found;
}
