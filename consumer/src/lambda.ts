/**
 * AWS Lambda behind an event-source mapping of Amazon MSK or self-managed Kafka: the consumer's own store, per event.
 *
 * Written after AWS's documentation and tested with events of that shape; it was never run against AWS.
 *
 * Nobody here commits offsets or keeps an intent: what an event brings may come again, cut in another way, while the
 * first is still at work. The ledger alone decides, under a lock on the partition in ClickHouse. With
 * ReportBatchItemFailures the answer names where each partition is to go on.
 */
import { loadConfig } from '@tcptrail/config/load.ts';
import { withAdmin } from '@tcptrail/kafka/admin.ts';
import { createKafka } from '@tcptrail/kafka/client.ts';
import { readOrigin } from '@tcptrail/kafka/origin.ts';
import { ensureTopics } from '@tcptrail/kafka/topics.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Logger } from 'pino';
import { createBatcher } from './batch/batcher.ts';
import { CONSUMER_CONFIG, type ConsumerConfig } from './config.ts';
import { createDeadLetters, lettersOf } from './consume/dead-letter.ts';
import { type Fetched, LOG_APPEND_TIME, rangesOf } from './consume/kafka-batch.ts';
import { createRangeDecoders } from './decode/range.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { migrate } from './migrate/migrate.ts';
import { withOriginLease } from './origin-lease.ts';
import { connectClickHouse } from './store/failover.ts';
import { readGuarantee } from './store/guarantee.ts';
import { createStore } from './store/store.ts';

/** A message as the mapping hands it on; key and value are base64. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly timestampType: string;
  readonly key?: string | null;
  readonly value?: string | null;
  readonly headers?: readonly Readonly<Record<string, readonly number[]>>[];
}

export interface KafkaEvent {
  readonly eventSource: 'aws:kafka' | 'SelfManagedKafka';
  readonly eventSourceArn?: string;
  readonly bootstrapServers?: string;
  /** By `topic-partition`, in the order of the offsets. */
  readonly records: Readonly<Record<string, readonly KafkaRecord[]>>;
}

export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: ItemIdentifier }[];
}

/** Where a partition is to go on; both as the event had them. */
export interface ItemIdentifier {
  readonly partition: string;
  readonly offset: number;
}

export interface LambdaCore {
  /** `leftMs`: until the invocation is cut off. Rejects only for a defect: then all of the event comes again. */
  handle(event: KafkaEvent, leftMs: number): Promise<BatchResponse>;
  close(): Promise<void>;
}

/** Of what is left of an invocation, kept for its answer. */
const ANSWER_MS = 2_000;
const TRIES_MAX = 4;

/** Connects, makes what is missing, checks the guarantee: once a container. Throws CLICKHOUSE_*, KAFKA_*, MIGRATION_*. */
export async function openLambda(config: ConsumerConfig, log: Logger = createLog()): Promise<LambdaCore> {
  const { kafka } = config;
  const clickhouse = connectClickHouse(config.clickhouse);
  try {
    if (config.migrate) await migrate(clickhouse);
    const guarantee = await readGuarantee(clickhouse);
    log[guarantee.isExactlyOnce ? 'info' : 'warn'](guarantee.text);
    const client = createKafka(kafka);
    await withAdmin(kafka, (admin) => ensureTopics(admin, kafka, [kafka.topic.deadLetter]), { client });
    const origins = new Map<string, Promise<string>>();
    const deadLetters = createDeadLetters(kafka, client);
    const store = createStore(
      { triesMax: TRIES_MAX },
      { clickhouse, createDecoder: createRangeDecoders(), log, metrics: createMetrics() },
    );

    /** As the consumer names it: either may go on where the other ended. */
    function originOf(topic: string): Promise<string> {
      const known = origins.get(topic);
      if (known) return known;
      const asked = withAdmin(kafka, (admin) => readOrigin(client, admin, topic), { client });
      origins.set(topic, asked);
      asked.catch(() => origins.delete(topic));
      return asked;
    }

    /** The offset to go on at; undefined when all of it is stored or parked. */
    async function storePartition(
      records: readonly KafkaRecord[],
      untilMs: number,
    ): Promise<number | undefined> {
      const [first] = records;
      if (!first) return undefined;
      const { topic, partition: originPartition } = first;
      const fetched = records.map(fetchedOf);
      let next = first.offset;
      try {
        const place = { origin: await originOf(topic), originPartition };
        const waitMsMax = Math.max(0, untilMs - performance.now());
        await withOriginLease(clickhouse, { ...place, waitMsMax }, async (lease) => {
          // What hangs is given up in time to name the partition: a cut-off would bring all of them again.
          const ending = AbortSignal.timeout(Math.max(0, Math.round(untilMs - performance.now())));
          const timed = { ...lease, signal: AbortSignal.any([lease.signal, ending]) };
          for (const range of rangesOf(fetched, place, createBatcher(config.batch))) {
            if (performance.now() > untilMs) return;
            // Another container may have stored of it since this one did.
            const parked = await store.store({ ...place, ...range, lease: timed, isFirst: true });
            await deadLetters.put(lettersOf(fetched, [...range.parked, ...parked]));
            next = Number(range.lastOffset) + 1;
          }
        });
      } catch (error) {
        const isLate = performance.now() > untilMs;
        if (!(error instanceof AppError) && !isLate) throw error;
        const { code = 'LATE', message } = error as Partial<AppError>;
        // The topic may be another one by now.
        origins.delete(topic);
        log[code === 'STORE_LEDGER' ? 'fatal' : 'warn'](
          { code, topic, partition: originPartition },
          `${message}; message ${next} and what follows comes again`,
        );
      }
      return records.find(({ offset }) => offset >= next)?.offset;
    }

    return {
      async handle(event, leftMs) {
        const untilMs = performance.now() + leftMs - ANSWER_MS;
        const partitions = Object.entries(event.records);
        const nexts = await Promise.all(partitions.map(([, records]) => storePartition(records, untilMs)));
        return {
          batchItemFailures: partitions.flatMap(([partition], index) => {
            const offset = nexts[index];
            return offset === undefined ? [] : [{ itemIdentifier: { partition, offset } }];
          }),
        };
      },
      async close() {
        store.stop();
        await deadLetters.close();
        await clickhouse.close();
      },
    };
  } catch (error) {
    await clickhouse.close();
    throw error;
  }
}

function fetchedOf({ offset, key, value, timestamp, timestampType }: KafkaRecord): Fetched {
  const bytes = (text: string | null | undefined): Buffer | null =>
    text === null || text === undefined ? null : Buffer.from(text, 'base64');
  return {
    offset: String(offset),
    key: bytes(key),
    value: bytes(value),
    timestamp: String(timestamp),
    batchContext: { timestampType: timestampType === 'LOG_APPEND_TIME' ? LOG_APPEND_TIME : 0 },
  };
}

let core: Promise<LambdaCore> | undefined;

/** What the function is configured to call. Its settings are TCPTRAIL_* variables, and the file TCPTRAIL_CONFIG names. */
export async function handler(
  event: KafkaEvent,
  context: { getRemainingTimeInMillis(): number },
): Promise<BatchResponse> {
  const { env } = process;
  core ??= openLambda(loadConfig(CONSUMER_CONFIG, { part: 'consumer', file: env['TCPTRAIL_CONFIG'], env }));
  // A container that could not begin tries again with the next event.
  core.catch(() => {
    core = undefined;
  });
  return await (await core).handle(event, context.getRemainingTimeInMillis());
}
