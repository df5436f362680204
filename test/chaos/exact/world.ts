/** A topic of a Kafka, a ClickHouse that can be killed, consumers as processes between them, and what was sent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONSUMER_CONFIG } from '@tcptrail/consumer/config.ts';
import { withAdmin } from '@tcptrail/kafka/admin.ts';
import { createKafka } from '@tcptrail/kafka/client.ts';
import { groupLag } from '@tcptrail/kafka/lag.ts';
import { frame } from '@tcptrail/schemas/single-object.ts';
import type { Admin, Kafka, Producer } from 'kafkajs';
import type { TestKafka } from '../../harness/kafka.ts';
import { type Part, startPart } from '../../harness/process.ts';
import { createTopics } from '../../harness/topics.ts';
import { until } from '../../harness/until.ts';
import { createRandom } from '../../random.ts';
import { HOST } from '../../spool-writer.ts';
import { createOracle, type Difference, type Oracle } from './oracle.ts';
import type { StoreServer } from './store-server.ts';

const CONSUMER = join(import.meta.dirname, '../../../consumer/src/main.ts');
const CRASH_AT = join(import.meta.dirname, '../crash-consumer-at.ts');
/** No message stored for so long is a failure, however many there are. */
const STALL_MS_MAX = 60_000;
/** So that what a killed consumer held goes on soon. */
const SESSION_MS = 2_000;

export interface WorldOptions {
  /** Tells worlds of one Kafka and one ClickHouse apart. */
  readonly name: string;
  readonly partitions?: number;
  readonly seed?: number;
  /** Keys of the consumers' configuration, by section. */
  readonly consumer?: Readonly<Record<string, object>>;
}

export interface World {
  readonly topic: string;
  readonly deadLetter: string;
  readonly group: string;
  /** The consumers' configuration. */
  readonly file: string;
  readonly admin: Admin;
  readonly oracle: Oracle;
  /** Puts framed batches on the partition. */
  send(partition: number, ...datums: Uint8Array[]): Promise<void>;
  /** The next batch, and again, marked, until a broker says that it has it: as an agent does it. */
  sendSurely(partition: number): Promise<void>;
  /** Puts bytes there as they are. */
  sendBytes(partition: number, ...values: Uint8Array[]): Promise<void>;
  /** A consumer of the group. */
  start(env?: NodeJS.ProcessEnv): Part;
  /** One that crashes, or is stopped, at a step. */
  startDoomed(step: string, passed?: number, signal?: 'SIGKILL' | 'SIGSTOP', env?: NodeJS.ProcessEnv): Part;
  rows<T>(query: string): Promise<T[]>;
  /** Messages that the group has not stored; Infinity while that cannot be told. */
  lag(): Promise<number>;
  /** The group has stored all that the topic holds. */
  isDrained(): Promise<boolean>;
  drained(): Promise<void>;
  compare(): Promise<Difference>;
  /** Ends consumers and clients. */
  stop(): Promise<void>;
}

export async function createWorld(
  { kafka, server }: { readonly kafka: TestKafka; readonly server: StoreServer },
  options: WorldOptions,
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-exact-'));
  const { name, partitions = 1 } = options;
  const [topic, deadLetter, group] = [`${name}.events`, `${name}.dead_letter`, `${name}-consumer`];
  const database = name.replaceAll('-', '_');
  const file = join(folder, 'consumer.yaml');
  const { consumer = {} } = options;
  const config = {
    transport: 'kafka',
    clickhouse: { url: server.url, database, requestWaitMsMax: 5_000, ...consumer['clickhouse'] },
    kafka: {
      brokers: kafka.brokers,
      topic: { events: topic, deadLetter },
      group,
      sessionMs: SESSION_MS,
      ...consumer['kafka'],
    },
    batch: { insertMsMin: 50, ...consumer['batch'] },
    // What writes beside the ranges has renames of its own.
    tiers: { closeMs: 0, ...consumer['tiers'] },
    metrics: { port: 0 },
  };
  writeFileSync(file, JSON.stringify(config));
  const settings = CONSUMER_CONFIG.parse(config).kafka;
  const client: Kafka = createKafka(settings);
  const admin = client.admin();
  // One send, one copy: what is sent again is sent by the test.
  const makeProducer = (): Producer => client.producer({ retry: { retries: 0 } });
  let producer = makeProducer();
  await admin.connect();
  await producer.connect();
  await createTopics(admin, [{ topic, numPartitions: partitions }, { topic: deadLetter }]);
  const oracle = createOracle(createRandom(options.seed ?? 1).below);
  const parts = new Set<Part>();

  async function lag(): Promise<number> {
    // A connection of its own: it does not think of the partitions that it knew once. New ones have no leader yet.
    const look = (of: Admin) => groupLag(of, settings, { topic, group });
    const lags = await withAdmin(settings, look, { client }).catch(() => undefined);
    if (!lags) return Number.POSITIVE_INFINITY;
    return lags.reduce((sum, each) => sum + each.lag, 0);
  }

  const world: World = {
    topic,
    deadLetter,
    group,
    file,
    admin,
    oracle,
    send: (partition, ...datums) => world.sendBytes(partition, ...datums.map(frame)),
    async sendSurely(partition) {
      let datum = oracle.next();
      await until('a broker to take a batch', async () => {
        const isThere = await world.send(partition, datum).then(
          () => true,
          () => false,
        );
        datum = oracle.again();
        return isThere;
      });
    },
    async sendBytes(partition, ...values) {
      const messages = values.map((value) => ({ key: HOST, value: Buffer.from(value), partition }));
      const acknowledged = await producer.send({ topic, acks: -1, messages });
      if (acknowledged.some((one) => one.partition === partition && one.errorCode === 0)) return;
      // kafkajs sends nothing to a partition that it does not know yet, and says nothing.
      await producer.disconnect();
      producer = makeProducer();
      await producer.connect();
      throw new Error(`no broker has the messages for partition ${partition}`);
    },
    start(env = {}) {
      const args = env['TCPTRAIL_CRASH_AT'] === undefined ? [] : ['--import', CRASH_AT];
      const part = startPart([...args, CONSUMER, '--config', file], env);
      parts.add(part);
      return part;
    },
    startDoomed: (step, passed = 0, signal = 'SIGKILL', env = {}) =>
      world.start({ ...env, TCPTRAIL_CRASH_AT: `${step}:${passed}`, TCPTRAIL_CRASH_SIGNAL: signal }),
    async rows(query) {
      const result = await server.client.query({
        query: query.replaceAll('{db}', database),
        format: 'JSONEachRow',
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
      });
      return await result.json();
    },
    lag,
    isDrained: async () => (await lag()) === 0,
    async drained() {
      let least = Number.POSITIVE_INFINITY;
      let sinceMs = performance.now();
      for (;;) {
        const now = await lag();
        if (now === 0) return;
        if (now < least) [least, sinceMs] = [now, performance.now()];
        if (performance.now() - sinceMs > STALL_MS_MAX) {
          const last = [...parts].slice(-2).map((part) => part.output().slice(-2_000));
          throw new Error(
            `${now} messages of ${topic} are not stored; the last consumers said:\n${last.join('\n')}`,
          );
        }
        await sleep(50);
      }
    },
    compare: () => oracle.compare(world.rows),
    async stop() {
      for (const part of parts) {
        // One that is stopped does not hear of anything else.
        await part.end('SIGKILL');
      }
      await producer.disconnect().catch(() => {});
      await admin.disconnect().catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}
