/**
 * Publishes the spool to Kafka, in order, one request at a time; a batch leaves the spool when it is acknowledged.
 *
 * Whatever fails, the batches wait in the spool and go out again in order; those that may have arrived are marked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { createCursorFile } from '@tcptrail/spool/cursor.ts';
import { type ChainRead, openSegmentChain } from '@tcptrail/spool/segment-chain.ts';
import { parsePublishCursor, READER } from './cursor.ts';
import { createOutbox, type Group, type Outbox } from './outbox.ts';

export interface PublisherConfig {
  readonly spoolPath: string;
  readonly hostId: string;
  readonly bootId: string;
  /** Start of this run, µs. */
  readonly agentEpoch: number;
}

/** A connection to Kafka, from its making to its first error. */
export interface PublishSession {
  /** Partitions of the topic. */
  readonly partitions: number;
  /** Resolves when Kafka has the values, all of them. Rejects with an AppError. */
  send(partition: number, values: readonly Uint8Array[]): Promise<void>;
  close(): Promise<void>;
}

export interface PublishNotices {
  published(sent: { readonly messages: number; readonly bytes: number; readonly again: boolean }): void;
  publishFailed(error: AppError): void;
  publishSplit(eventsMax: number): void;
  publishDamage(damage: Extract<ChainRead, { kind: 'damage' }>): void;
  publishCursorDamaged(keptAs: string): void;
}

export interface PublisherDeps {
  /** Rejects with an AppError; nothing was sent then. */
  readonly openSession: () => Promise<PublishSession>;
  readonly notices: PublishNotices;
}

export interface Publisher {
  /** Begins in the background. Throws SPOOL_CURSOR. */
  start(): void;
  /** Something new is in the spool. */
  wake(): void;
  /** Sends what is there while Kafka takes it, for `waitMsMax` at most, and ends. */
  stop(waitMsMax: number): Promise<void>;
}

/** Avro bytes of a request that holds several batches. */
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
const REQUEST_BYTES_MIN = 64 * 1024;
const FIRST_WAIT_MS = 250;
const WAIT_MS_MAX = 10_000;

export function createPublisher(config: PublisherConfig, deps: PublisherDeps): Publisher {
  const { notices } = deps;
  const ending = new AbortController();
  let woken = Promise.withResolvers<void>();
  let running: Promise<void> = Promise.resolve();
  let requestBytesMax = REQUEST_BYTES_MAX;
  /** Of the group in hand that go in one request. */
  let countMax = Number.POSITIVE_INFINITY;

  async function run(outbox: Outbox): Promise<void> {
    let failures = 0;
    for (;;) {
      let session: PublishSession | undefined;
      try {
        if (!outbox.peek(requestBytesMax) && !(await more())) return;
        session = await deps.openSession();
        for (;;) {
          const group = outbox.peek(requestBytesMax);
          if (group) await sendSome(session, outbox, group);
          else if (!(await more())) break;
          failures = 0;
        }
      } catch (error) {
        notices.publishFailed(asAppError(error));
        if (ending.signal.aborted) return;
        const ceiling = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** failures++);
        const waitMs = ceiling * (0.5 + Math.random() / 2);
        await sleep(waitMs, undefined, { signal: ending.signal }).catch(() => {});
      } finally {
        await session?.close();
      }
    }
  }

  async function sendSome(session: PublishSession, outbox: Outbox, group: Group): Promise<void> {
    const values = group.messages.slice(0, countMax).map(({ value }) => value);
    const partition = outbox.partitionOf(group.agentEpoch, session.partitions);
    outbox.sending();
    try {
      await session.send(partition, values);
    } catch (error) {
      if (!isTooLarge(error)) {
        outbox.uncertain();
        throw error;
      }
      if (values.length > 1) {
        // Which of them is too large shows when they go one by one.
        countMax = 1;
        requestBytesMax = Math.max(REQUEST_BYTES_MIN, requestBytesMax >> 1);
        return;
      }
      const eventsMax = outbox.split();
      if (eventsMax === 0) throw error;
      notices.publishSplit(eventsMax);
      return;
    }
    const bytes = values.reduce((sum, value) => sum + value.length, 0);
    notices.published({ messages: values.length, bytes, again: group.maybeDuplicate });
    if (outbox.acknowledged(values.length)) countMax = Number.POSITIVE_INFINITY;
  }

  /** Waits until there may be more to send; false when the publisher is to end. */
  async function more(): Promise<boolean> {
    if (ending.signal.aborted) return false;
    await woken.promise;
    woken = Promise.withResolvers<void>();
    return true;
  }

  return {
    start() {
      let cursorLost = false;
      const cursorFile = createCursorFile(
        { spool: config.spoolPath, reader: READER, parse: parsePublishCursor },
        {
          onDamaged(keptAs) {
            cursorLost = true;
            notices.publishCursorDamaged(keptAs);
          },
        },
      );
      const cursor = cursorFile.load();
      const chain = openSegmentChain(config.spoolPath, cursor);
      const outbox = createOutbox(
        { ...config, cursorLost },
        { cursor, cursorFile, chain, onDamage: notices.publishDamage },
      );
      running = run(outbox).finally(() => chain.close());
    },
    wake: () => woken.resolve(),
    async stop(waitMsMax) {
      ending.abort();
      woken.resolve();
      await Promise.race([running, sleep(waitMsMax, undefined, { ref: false })]);
    },
  };
}

/** Recording goes on whatever becomes of publishing: what nobody foresaw is told as it is, and tried again. */
function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AppError('PUBLISH_FAILED', `publishing failed (${reason})`, { cause: error });
}

function isTooLarge(error: unknown): boolean {
  return error instanceof AppError && error.code === 'KAFKA_MESSAGE_TOO_LARGE';
}
