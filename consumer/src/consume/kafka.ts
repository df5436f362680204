/**
 * Transport of a fleet: a member of the consumer group, which reads the events topic.
 *
 * The brokers do the waiting: what a fetch brought of a partition is one range, or several when it is large; then the
 * partition is paused, unless there was much, as `pace` says. Offsets are committed after the range was stored and
 * checked.
 *
 * Before a range is stored, what is about to be inserted is committed beside the offset (`note.ts`): the brokers take
 * that from the owner of the partition alone, and the next owner goes on from there.
 *
 * kafkajs waits for its handlers before it joins the group again, but not always: a fetch that finds the topic
 * changed joins at once. The lease of a batch therefore ends at every join.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, withAdmin } from '@tcptrail/kafka/admin.ts';
import { createKafka } from '@tcptrail/kafka/client.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { explain } from '@tcptrail/kafka/errors.ts';
import { groupLag } from '@tcptrail/kafka/lag.ts';
import { originOf, readOrigin } from '@tcptrail/kafka/origin.ts';
import { createTopicId } from '@tcptrail/kafka/topic-id.ts';
import { ensureTopics } from '@tcptrail/kafka/topics.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Consumer, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { aborted } from '../aborted.ts';
import { failure } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { createDeadLetters } from './dead-letter.ts';
import { fetchBytesOf } from './fetch-bytes.ts';
import { createIntake, type FetchedBatch, type Intake } from './intake.ts';
import { createMembership } from './lease.ts';
import { isOfTopic } from './note.ts';
import { createPositions } from './positions.ts';
import { createRefusals, isRefusal } from './refusals.ts';
import type { Fill, Pace, RangeHandler, Transport } from './transport.ts';

export interface KafkaTransportConfig {
  readonly kafka: KafkaConfig;
  readonly group: string;
  /** After so long without a heartbeat the brokers give the partitions to another consumer. */
  readonly sessionMs: number;
  /** Partitions whose batches are stored at the same time. */
  readonly concurrency: number;
  /** End when what the topic held at the start is stored. */
  readonly isOnce: boolean;
}

export interface KafkaTransportDeps {
  readonly createFill: () => Fill;
  readonly pace: Pace;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What keeps the consumer from reading; undefined when nothing does. */
  readonly tell: (trouble: string | undefined) => void;
}

/** Partitions that were added are seen so soon. */
const METADATA_MS_MAX = 30_000;
/** A fetch that finds nothing ends so soon; so long kafkajs waits, too, when all partitions are paused. */
const FETCH_WAIT_MS = 200;
const DRAINED_POLL_MS = 200;
const ONCE_FAILURES_MAX = 1;
const FIRST_WAIT_MS = 250;
const WAIT_MS_MAX = 10_000;

export function createKafkaTransport(config: KafkaTransportConfig, deps: KafkaTransportDeps): Transport {
  const { log, metrics, pace } = deps;
  const { kafka, group, sessionMs } = config;
  const topic = kafka.topic.events;
  // A heartbeat is answered within a third of the session or not at all, so two thirds are left when it is.
  const requestMsMax = Math.floor(sessionMs / 3);
  const ending = new AbortController();
  const done = Promise.withResolvers<void>();
  done.promise.catch(() => {});
  let isStarted = false;
  let failures = 0;
  /** Why a partition stands still until a person has looked. */
  let stopped: AppError | undefined;
  /** Of dead letters: each holds one partition up. */
  const refusals = createRefusals({ waitMsFirst: FIRST_WAIT_MS, waitMsMax: WAIT_MS_MAX });

  async function follow(handler: RangeHandler): Promise<void> {
    const client = createKafka(kafka, { requestMsMax, onUnfit });
    while (!ending.signal.aborted) {
      try {
        await member(client, handler);
      } catch (error) {
        const explained = explain(error, kafka, { topic, group, operation: 'Read' });
        metrics.kafkaFailures.inc({ code: explained.code });
        const isOurs = !explained.code.startsWith('KAFKA_');
        if (config.isOnce && (isOurs || failures >= ONCE_FAILURES_MAX)) throw explained;
        deps.tell(explained.message);
        log.warn({ code: explained.code }, `${explained.message}; trying again`);
        const ceiling = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** failures++);
        await sleep(ceiling * (0.5 + Math.random() / 2), undefined, { signal: ending.signal }).catch(
          () => {},
        );
      }
    }
    if (config.isOnce && stopped) throw stopped;
  }

  /** A member of the group until the end or the first error that kafkajs does not mend itself. */
  async function member(client: Kafka, handler: RangeHandler): Promise<void> {
    const { origin, brokers } = await prepareTopics(client);
    const crashed = Promise.withResolvers<never>();
    crashed.promise.catch(() => {});
    const membership = createMembership({ heldMs: sessionMs - requestMsMax }, () => performance.now());
    const deadLetters = createDeadLetters(kafka, client);
    const topicIdNow = createTopicId(client, topic);
    const topicId = origin.slice(originOf(topic, '').length);
    const positions = createPositions({ kafka, topic, topicId, group }, client);
    const intake = createIntake(
      { heartbeatMs: Math.floor(sessionMs / 10), yieldMsMax: requestMsMax },
      {
        ...deps,
        handler,
        membership,
        deadLetters,
        origin,
        topicId,
        positionOf: positions.of,
        async assertSameTopic(partition) {
          const id = await topicIdNow.read(partition).catch((error: unknown) => {
            throw explain(error, kafka, { topic, group, operation: 'Read' });
          });
          if (id === undefined || id === topicId) return;
          throw failure(
            'CONSUMER_TOPIC_ANEW',
            `topic ${topic} was deleted and made again; the new one is read from its beginning`,
          );
        },
        seek: (partition, offset) => consumer.seek({ topic, partition, offset: String(offset) }),
        ending: ending.signal,
        onCommitted,
        onStopped,
      },
    );
    const consumer = client.consumer({
      groupId: group,
      sessionTimeout: sessionMs,
      heartbeatInterval: Math.floor(sessionMs / 10),
      maxWaitTimeInMs: Math.min(FETCH_WAIT_MS, requestMsMax >> 1),
      minBytes: 1,
      ...fetchBytesOf(brokers),
      allowAutoTopicCreation: false,
      metadataMaxAge: METADATA_MS_MAX,
      retry: {
        // A new cluster needs a second or two until it has a coordinator.
        retries: 5,
        initialRetryTime: 100,
        maxRetryTime: 1_000,
        // Starting again is ours, so that what is wrong is told in one way.
        restartOnFailure: async () => false,
      },
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => crashed.reject(payload.error));
    consumer.on(consumer.events.HEARTBEAT, membership.heard);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      membership.joined();
      positions.joined();
      refusals.clear();
      tellTrouble();
      metrics.lagMessages.reset();
      const partitions = payload.memberAssignment[topic] ?? [];
      metrics.assignedPartitions.set(partitions.length);
      log.info({ partitions }, `joined group ${group}: ${partitions.length} partitions of ${topic}`);
    });
    try {
      await consumer.connect();
      await positions.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: config.concurrency,
        // kafkajs would run the handler again and again before it told.
        eachBatch: (fetched) =>
          rested(intake, fetched).catch((error: unknown) => {
            if (error instanceof AppError) crashed.reject(error);
            throw error;
          }),
      });
      const end = config.isOnce ? drained(client, topicId) : aborted(ending.signal);
      await Promise.race([crashed.promise, end, aborted(ending.signal)]);
      if (config.isOnce) ending.abort();
    } finally {
      await disconnect(consumer);
      await positions.close();
      await topicIdNow.close();
      membership.lost();
      metrics.assignedPartitions.set(0);
      await deadLetters.close();
    }
  }

  /** Takes in what was fetched and pauses the partition for a while; one that is stopped stays so. */
  async function rested(intake: Intake, fetched: FetchedBatch): Promise<void> {
    let isStopped = false;
    const pause = (): (() => void) => {
      isStopped = true;
      return fetched.pause();
    };
    try {
      await intake({ ...fetched, pause });
    } catch (error) {
      if (!isRefusal(error) || config.isOnce) throw error;
      const waitMs = refusals.add(fetched.batch.partition, error);
      metrics.letterRefusals.inc();
      log.error({ code: error.code }, `${error.message}; trying again`);
      tellTrouble();
      setTimeout(fetched.pause(), waitMs).unref();
      return;
    }
    if (isStopped || config.isOnce || ending.signal.aborted) return;
    const bytes = fetched.batch.messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    const restMs = pace.restMs({ bytes }, performance.now());
    if (restMs > 0) setTimeout(fetched.pause(), restMs).unref();
  }

  function onCommitted(partition: number): void {
    failures = 0;
    if (refusals.delete(partition)) tellTrouble();
  }

  function tellTrouble(): void {
    deps.tell((stopped ?? refusals.first)?.message);
  }

  function onStopped(error: AppError, partition: number): void {
    stopped = error;
    metrics.stopped.set(1);
    tellTrouble();
    log.fatal({ code: error.code, partition }, error.message);
    if (config.isOnce) ending.abort();
  }

  function onUnfit(error: AppError): void {
    metrics.kafkaFailures.inc({ code: error.code });
    log.warn({ code: error.code }, `${error.message}; the former is used until then`);
  }

  /** Makes what is missing and may be made. Gives the origin of the events topic, and how many brokers there are. */
  async function prepareTopics(client: Kafka): Promise<{ origin: string; brokers: number }> {
    const names = [topic, kafka.topic.deadLetter];
    return await withAdmin(
      kafka,
      async (admin) => {
        for (const name of await ensureTopics(admin, kafka, names)) log.info(`made topic ${name}`);
        const { brokers } = await admin.describeCluster();
        return { origin: await readOrigin(client, admin, topic), brokers: brokers.length };
      },
      { client },
    );
  }

  /** Resolves when the group has committed everything that the topic holds now. */
  async function drained(client: Kafka, topicId: string): Promise<void> {
    const wait = async (admin: Admin): Promise<void> => {
      const asked = { topic, group, isOfTopic: isOfTopic(topicId) };
      const ends = await groupLag(admin, kafka, asked);
      for (let isBehind = true; isBehind && !ending.signal.aborted; ) {
        const now = await groupLag(admin, kafka, asked);
        isBehind = now.some(({ partition, committed, low }) => {
          const high = ends.find((end) => end.partition === partition)?.high ?? 0;
          return Math.max(committed ?? low, low) < high;
        });
        if (isBehind) await sleep(DRAINED_POLL_MS, undefined, { signal: ending.signal }).catch(() => {});
      }
    };
    await withAdmin(kafka, wait, { client });
  }

  return {
    done: done.promise,
    async start(handler) {
      isStarted = true;
      follow(handler).then(done.resolve, done.reject);
    },
    async stop() {
      ending.abort();
      if (isStarted) await done.promise.catch(() => undefined);
    },
  };
}

/** Waits for the handlers; errors of a connection that is gone anyway say nothing new. */
async function disconnect(consumer: Consumer): Promise<void> {
  await consumer.disconnect().catch(() => {});
}
