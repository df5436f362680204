/**
 * Publishes the spool to Kafka, in order, one request at a time; a batch leaves the spool when it is acknowledged.
 *
 * Whatever fails, the batches wait in the spool and go out again in order; those that may have arrived are marked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { createCursorFile } from '@tcptrail/spool/cursor.ts';
import { type ChainRead, openSegmentChain } from '@tcptrail/spool/segment-chain.ts';
import { createBackoff } from './backoff.ts';
import { parsePublishCursor, READER } from './cursor.ts';
import { createOutbox, type Group, type Outbox } from './outbox.ts';
import { createPace, RECORDED_MS_MAX } from './pace.ts';

export interface Pacing {
  /** Longest wait between two tries to reach Kafka. */
  readonly retryWaitMsMax: number;
  /** A backlog goes out at most so many times as fast as it was recorded; 0 = no limit. */
  readonly replaySpeedMax: number;
}

export interface PublisherConfig extends Pacing {
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
  /** Default: the machine's. */
  readonly clock?: PublishClock;
}

export interface PublishClock {
  nowMs(): number;
  /** Resolves after so long, or at once when the signal comes. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

const MACHINE: PublishClock = {
  nowMs: () => performance.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
  random: Math.random,
};

export interface Publisher {
  /** Begins in the background. Throws SPOOL_CURSOR. */
  start(): void;
  /** Something new is in the spool. */
  wake(): void;
  /** From the next wait on. */
  configure(pacing: Pacing): void;
  /** Sends what is there while Kafka takes it, for `waitMsMax` at most, and ends. */
  stop(waitMsMax: number): Promise<void>;
}

/** Avro bytes of a request that holds several batches. */
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
const REQUEST_BYTES_MIN = 64 * 1024;

export function createPublisher(config: PublisherConfig, deps: PublisherDeps): Publisher {
  const { notices, clock = MACHINE } = deps;
  const pacing = { retryWaitMsMax: config.retryWaitMsMax, replaySpeedMax: config.replaySpeedMax };
  const backoff = createBackoff(pacing, clock);
  const pace = createPace(pacing, clock);
  const ending = new AbortController();
  let woken = Promise.withResolvers<void>();
  let running: Promise<void> = Promise.resolve();
  let requestBytesMax = REQUEST_BYTES_MAX;
  /** Of the group in hand that go in one request. */
  let countMax = Number.POSITIVE_INFINITY;
  /** The group whose turn has come; what is sent of it again, or in pieces, waits no more. */
  let due: Group | undefined;
  /** The one that goes out at the end without its turn. */
  let isLastDue = false;

  async function run(outbox: Outbox): Promise<void> {
    const peek = () => outbox.peek({ bytesMax: requestBytesMax, recordedMsMax: RECORDED_MS_MAX });
    for (;;) {
      let session: PublishSession | undefined;
      try {
        if (!peek() && !(await more())) return;
        session = await deps.openSession();
        for (;;) {
          const group = peek();
          if (group && !(await turnOf(group))) return;
          if (group) await sendSome(session, outbox, group);
          else if (!(await more())) break;
          backoff.reset();
        }
      } catch (error) {
        notices.publishFailed(asAppError(error));
        if (ending.signal.aborted) return;
        await clock.wait(backoff.nextMs(), ending.signal);
      } finally {
        await session?.close();
      }
    }
  }

  /** False when the publisher ends: what is paced waits for the next start, but for one group, which may be all. */
  async function turnOf(group: Group): Promise<boolean> {
    if (group === due) return true;
    for (let waitMs = pace.waitMs(group.recordedMs); waitMs > 0; waitMs = pace.waitMs(group.recordedMs)) {
      if (ending.signal.aborted) {
        if (isLastDue) return false;
        isLastDue = true;
        break;
      }
      await clock.wait(waitMs, ending.signal);
    }
    pace.spend(group.recordedMs);
    due = group;
    return true;
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
    configure({ retryWaitMsMax, replaySpeedMax }) {
      Object.assign(pacing, { retryWaitMsMax, replaySpeedMax });
    },
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
