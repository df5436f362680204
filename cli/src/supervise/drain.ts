/** Waiting at the end until what was recorded is stored, for so long and no longer. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ConsumerConfig } from '@tcptrail/consumer/config.ts';
import { type Admin, withAdmin } from '@tcptrail/kafka/admin.ts';
import { groupLag } from '@tcptrail/kafka/lag.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { spoolLag } from './spool-lag.ts';

const POLL_MS = 50;
const ANSWER_MS_MAX = 3_000;

export interface Patience {
  /** Monotonic, ms. */
  readonly deadlineMs: number;
  /** Nobody stores any more. */
  readonly isOver: () => boolean;
}

/** Waits for the reader of the spool; gives the bytes it has not passed. */
export async function drainSpool(spool: string, patience: Patience): Promise<number> {
  for (;;) {
    const waiting = bytesWaiting(spool);
    if (waiting === 0 || isUp(patience)) return waiting;
    await delay(POLL_MS);
  }
}

/** 0 without a spool. */
export function bytesWaiting(spool: string, reader?: string): number {
  try {
    return spoolLag(spool, reader).bytes;
  } catch {
    return 0;
  }
}

/**
 * Waits until the group has stored what the topic holds now; gives the messages that it has not.
 *
 * What others send meanwhile is not waited for. Undefined when Kafka does not tell in time, or the
 * configuration was changed to one that cannot be read.
 */
export async function drainGroup(
  config: () => Pick<ConsumerConfig, 'kafka'>,
  patience: Patience,
): Promise<number | undefined> {
  for (;;) {
    try {
      const { kafka } = config();
      return await withAdmin(kafka, (admin) => waitForGroup(admin, kafka, patience), {
        requestMsMax: ANSWER_MS_MAX,
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // Never a topic: nothing was sent.
      if (error.code === 'KAFKA_TOPIC_MISSING') return 0;
      // A broker that was killed takes a while until it knows its groups again.
      if (!error.code.startsWith('KAFKA_') || isUp(patience)) return undefined;
      await delay(POLL_MS);
    }
  }
}

async function waitForGroup(
  admin: Admin,
  kafka: ConsumerConfig['kafka'],
  patience: Patience,
): Promise<number> {
  const asked = { topic: kafka.topic.events, group: kafka.group };
  const ends = new Map<number, number>();
  for (;;) {
    const lags = await groupLag(admin, kafka, asked);
    let behind = 0;
    for (const { partition, low, high, committed } of lags) {
      const end = ends.get(partition) ?? high;
      ends.set(partition, end);
      behind += Math.max(0, end - Math.max(committed ?? low, low));
    }
    if (behind === 0 || isUp(patience)) return behind;
    await delay(POLL_MS);
  }
}

function isUp({ deadlineMs, isOver }: Patience): boolean {
  return isOver() || performance.now() > deadlineMs;
}
