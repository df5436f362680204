/** A publisher on a spool and a broker of a test, which takes, refuses or forgets requests as the test says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { unframe } from '@tcptrail/schemas/single-object.ts';
import { type MadeSpool, NOW_US } from '../../../../test/spool-writer.ts';
import {
  createPublisher,
  type PublishClock,
  type PublisherDeps,
  type PublishNotices,
} from '../../../src/publish/publisher.ts';

/** What a broker of a test does with a request: takes it, loses the answer, refuses it, or never saw it. */
type Answer = 'takes' | 'takes, unanswered' | 'too large' | 'unreachable';

/** One request as the broker saw it: `seq/part`, with `!` when marked. */
type Request = readonly string[];

export interface Broker {
  /** Requests it took, in order. */
  readonly requests: Request[];
  /** Partitions that values went to, by request. */
  readonly sentTo: number[];
  count: number;
  /** Decides each request; default: takes it. */
  answer: (request: Request, events: number) => Answer;
}

/** Hears everything and says nothing. */
export const heard: PublishNotices = {
  published() {},
  publishFailed() {},
  publishSplit() {},
  publishDamage() {},
  publishCursorDamaged() {},
};

export function createBroker(): Broker {
  return { requests: [], sentTo: [], count: 12, answer: () => 'takes' };
}

function describe(value: Uint8Array): { name: string; events: number } {
  const { envelope, events } = decodeEnvelope(unframe(value).datum);
  const name = `${envelope.batch_seq}/${envelope.batch_part}${envelope.maybe_duplicate ? '!' : ''}`;
  return { name, events: events.count };
}

function openSession(broker: Broker): PublisherDeps['openSession'] {
  return async () => ({
    partitions: broker.count,
    async send(partition, values) {
      const told = values.map(describe);
      const request = told.map(({ name }) => name);
      const answer = broker.answer(
        request,
        told.reduce((sum, { events }) => sum + events, 0),
      );
      if (answer === 'too large') throw new AppError('KAFKA_MESSAGE_TOO_LARGE', 'too large');
      if (answer !== 'unreachable') {
        broker.requests.push(request);
        broker.sentTo.push(partition);
      }
      if (answer !== 'takes') throw new AppError('KAFKA_UNREACHABLE', 'no answer');
    },
    async close() {},
  });
}

/** Of a publisher that waits as little as it may. */
export const UNPACED = { retryWaitMsMax: 1_000, replaySpeedMax: 0 } as const;

export function publisherOn(
  spool: MadeSpool,
  broker: Broker,
  change: {
    bootId?: string;
    agentEpoch?: number;
    replaySpeedMax?: number;
    clock?: PublishClock;
    notices?: Partial<PublishNotices>;
  } = {},
) {
  const { bootId = 'boot-1', agentEpoch = NOW_US, notices = {}, replaySpeedMax = 0, clock } = change;
  return createPublisher(
    { ...UNPACED, replaySpeedMax, spoolPath: spool.path, hostId: 'host-a', bootId, agentEpoch },
    { openSession: openSession(broker), notices: { ...heard, ...notices }, ...(clock ? { clock } : {}) },
  );
}

/** Publishes what is there and ends. */
export async function publishAll(...args: Parameters<typeof publisherOn>): Promise<void> {
  const publisher = publisherOn(...args);
  publisher.start();
  await publisher.stop(60_000);
}

/** The publisher's cursor, as it stands on disk. */
export const cursorOf = (spool: MadeSpool) =>
  JSON.parse(readFileSync(join(spool.path, 'cursor/kafka.json'), 'utf8')) as {
    segment: string;
    position: number;
    doubt?: { segment: string; position: number };
    partitions: Record<string, number>;
    partEventsMax?: number;
  };
