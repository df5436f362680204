/** Consumer processes between a Kafka and a ClickHouse, both for all tests of a file. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { CONSUMER_CONFIG } from '@tcptrail/consumer/config.ts';
import { createKafka } from '@tcptrail/kafka/client.ts';
import { groupLag } from '@tcptrail/kafka/lag.ts';
import { readRanges } from '@tcptrail/kafka/read-ranges.ts';
import { topicOffsets } from '@tcptrail/kafka/topic-state.ts';
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs';
import { HOST, temporaryFolder } from '../spool-writer.ts';
import { type KafkaOptions, startKafka, type TestKafka } from './kafka.ts';
import { type Part, startPart } from './process.ts';
import { startServer, type TestServer } from './server.ts';
import { createTopics } from './topics.ts';

export const MAIN = join(import.meta.dirname, '../../consumer/src/main.ts');

/** So that what a killed consumer held goes on soon. */
const SESSION_MS = 3_000;

/** There from the first test of the file on. */
export interface KafkaAndStore {
  readonly broker: TestKafka;
  readonly server: TestServer;
  readonly client: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;
  /** Topics, a group and a database of the test's own. */
  setUp(change?: SetupChange): Promise<KafkaSetup>;
}

export interface SetupChange {
  readonly sessionMs?: number;
  readonly batch?: object;
  readonly partitions?: number;
}

export interface Letter {
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface KafkaSetup {
  readonly topic: string;
  readonly deadLetter: string;
  readonly group: string;
  readonly database: string;
  /** The consumer's configuration. */
  readonly file: string;
  start(args?: readonly string[], env?: NodeJS.ProcessEnv): Part;
  /** Runs one with --once, and sees it end with 0. */
  once(env?: NodeJS.ProcessEnv): Promise<Part>;
  /** Puts the values on partition 0. */
  send(...values: (Uint8Array | null)[]): Promise<void>;
  /** As the agent of another host. */
  sendAs(hostId: string, ...values: (Uint8Array | null)[]): Promise<void>;
  rows<T>(query: string): Promise<T[]>;
  /** A statement; `{db}` is the database. */
  command(sql: string): Promise<void>;
  /** Rows, those that differ, and batches. */
  counts(): Promise<{ n: number; u: number; b: number }>;
  isDrained(): Promise<boolean>;
  /** What is on the dead-letter topic, by the offset that it came from. */
  letters(): Promise<readonly Letter[]>;
}

/** Starts both before the first test of the file, and ends them behind the last. */
export function useKafkaAndStore(options: KafkaOptions = {}): KafkaAndStore {
  let broker: TestKafka | undefined;
  let server: TestServer | undefined;
  let started: Omit<KafkaAndStore, 'setUp'> | undefined;
  let setups = 0;

  before(async () => {
    [broker, server] = await Promise.all([
      startKafka(options).then((one) => (broker = one)),
      startServer().then((one) => (server = one)),
    ]);
    const client = createKafka(CONSUMER_CONFIG.parse({ kafka: { brokers: broker.brokers } }).kafka);
    const [admin, producer] = [client.admin(), client.producer()];
    await Promise.all([admin.connect(), producer.connect()]);
    started = { broker, server, client, admin, producer };
  });
  after(async () => {
    await started?.producer.disconnect();
    await started?.admin.disconnect();
    await Promise.all([server?.stop(), broker?.stop()]);
  });
  const of = (): Omit<KafkaAndStore, 'setUp'> => {
    assert.ok(started, 'servers are started before the first test');
    return started;
  };
  return {
    get broker() {
      return of().broker;
    },
    get server() {
      return of().server;
    },
    get client() {
      return of().client;
    },
    get admin() {
      return of().admin;
    },
    get producer() {
      return of().producer;
    },
    setUp: (change) => setUpKafka(of(), ++setups, change),
  };
}

async function setUpKafka(
  { broker, server, client, admin, producer }: Omit<KafkaAndStore, 'setUp'>,
  number: number,
  change: SetupChange = {},
): Promise<KafkaSetup> {
  const name = `test-${number}`;
  const [topic, deadLetter, group] = [`${name}.events`, `${name}.dead_letter`, `${name}-consumer`];
  const database = `kafka_${number}`;
  await createTopics(admin, [{ topic, numPartitions: change.partitions ?? 1 }, { topic: deadLetter }]);
  const file = join(temporaryFolder(), 'consumer.yaml');
  const config = {
    transport: 'kafka',
    clickhouse: { url: server.url, database, requestWaitMsMax: 5_000 },
    kafka: {
      brokers: broker.brokers,
      topic: { events: topic, deadLetter },
      group,
      sessionMs: change.sessionMs ?? SESSION_MS,
    },
    batch: { insertMsMin: 50, ...change.batch },
    metrics: { port: 0 },
  };
  writeFileSync(file, JSON.stringify(config));
  const kafka = CONSUMER_CONFIG.parse(config).kafka;
  const sendAs: KafkaSetup['sendAs'] = async (hostId, ...values) => {
    const messages = values.map((value) => ({ key: hostId, value: value as Buffer | null, partition: 0 }));
    await producer.send({ topic, acks: -1, compression: kafkajs.CompressionTypes.ZSTD, messages });
  };
  const setup: KafkaSetup = {
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
    async once(env = {}) {
      const consumer = setup.start(['--once'], env);
      assert.equal(await consumer.exited, 0, consumer.output());
      return consumer;
    },
    send: (...values) => sendAs(HOST, ...values),
    sendAs,
    async rows(query) {
      const result = await server.client.query({
        query: query.replaceAll('{db}', database),
        format: 'JSONEachRow',
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
      });
      return await result.json();
    },
    async command(sql) {
      await server.client.command({ query: sql.replaceAll('{db}', database) });
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
    async letters() {
      const ends = await topicOffsets(admin, kafka, deadLetter);
      const ranges = ends.map(({ partition, low, high }) => ({ partition, first: low, last: high - 1 }));
      const found: Letter[] = [];
      await readRanges(client, kafka, { topic: deadLetter, ranges, group }, (_, { value, headers = {} }) => {
        const texts = Object.entries(headers).map(([key, text]) => [key, String(text)]);
        found.push({ value, headers: Object.fromEntries(texts) });
      });
      const offsetOf = ({ headers }: Letter): number => Number(headers['origin_offset']);
      return found.toSorted((a, b) => offsetOf(a) - offsetOf(b));
    },
  };
  return setup;
}
