/** Stores what a fetch brought of one partition: range by range, under a lease, with heartbeats meanwhile. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import type { DeadLetters } from './dead-letter.ts';
import { type Fetched, type KafkaRange, rangesOf } from './kafka-batch.ts';
import type { HeldLease, Membership } from './lease.ts';
import type { Fill, ParkedBatch, RangeHandler } from './transport.ts';

export interface IntakeConfig {
  /** Between two heartbeats. */
  readonly heartbeatMs: number;
  /** How long a range may still take when the group wants the partition back. */
  readonly yieldMsMax: number;
}

/** What kafkajs hands to `eachBatch`, as far as it is used. */
export interface FetchedBatch {
  readonly batch: {
    readonly topic: string;
    readonly partition: number;
    readonly highWatermark: string;
    readonly messages: readonly Fetched[];
  };
  heartbeat(): Promise<void>;
  resolveOffset(offset: string): void;
  commitOffsetsIfNecessary(offsets: {
    topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
  }): Promise<void>;
  /** Of the partition; gives what ends the pause. */
  pause(): () => void;
}

export interface IntakeDeps {
  readonly handler: RangeHandler;
  readonly membership: Membership;
  readonly deadLetters: Pick<DeadLetters, 'put'>;
  readonly createFill: () => Fill;
  /** The name that rows keep of a topic. */
  readonly originOf: (topic: string) => string;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'lagMessages'>;
  /** Aborted when the consumer is to end: the range in hand is finished. */
  readonly ending: AbortSignal;
  readonly onCommitted: () => void;
  /** The ledger does not agree: nothing of the partition moves until a person has looked. */
  readonly onStopped: (error: AppError, partition: number) => void;
}

/** Resolves when everything is committed, or what is left must come again. Rejects with what kafkajs is to handle. */
export type Intake = (fetched: FetchedBatch) => Promise<void>;

export function createIntake(config: IntakeConfig, deps: IntakeDeps): Intake {
  const { handler, membership, deadLetters, log, metrics } = deps;

  async function commit({ batch, ...fetched }: FetchedBatch, range: KafkaRange): Promise<void> {
    const { topic, partition } = batch;
    fetched.resolveOffset(range.lastOffset);
    const offset = String(BigInt(range.lastOffset) + 1n);
    await fetched.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
    deps.onCommitted();
    const behind = Number(batch.highWatermark) - 1 - Number(range.lastOffset);
    metrics.lagMessages.set({ partition: String(partition) }, Math.max(0, behind));
  }

  return async (fetched) => {
    const { batch } = fetched;
    // A fetch may have waited long, and nobody sends heartbeats meanwhile.
    await fetched.heartbeat();
    const lease = membership.lease();
    const beat = startBeat(fetched, lease, config);
    try {
      const place = { origin: deps.originOf(batch.topic), originPartition: batch.partition };
      for (const range of rangesOf(batch.messages, place, deps.createFill())) {
        if (deps.ending.aborted || beat.isYielding()) return;
        const isFirst = membership.isFirst(batch.partition);
        const parked = await handler({ ...place, ...range, lease, isFirst });
        await deadLetters.put(lettersOf(batch.messages, [...range.parked, ...parked]));
        lease.assertHeld();
        await commit(fetched, range);
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'CONSUMER_PARTITION_LOST') {
        log.warn({ partition: batch.partition }, error.message);
      } else if (error.code === 'STORE_LEDGER') {
        fetched.pause();
        deps.onStopped(error, batch.partition);
      } else throw error;
    } finally {
      beat.end();
    }
  };
}

/** Heartbeats until the end; tells whether the group wants the partition back. */
function startBeat(
  fetched: FetchedBatch,
  lease: HeldLease,
  config: IntakeConfig,
): { isYielding(): boolean; end(): void } {
  let isYielding = false;
  let late: NodeJS.Timeout | undefined;

  function refused({ type }: { readonly type?: string }): void {
    if (type === 'REBALANCE_IN_PROGRESS') {
      // The range in hand may still be finished; the others wait for their next owner.
      isYielding = true;
      late ??= setTimeout(lease.lose, config.yieldMsMax);
    } else if (type === 'ILLEGAL_GENERATION' || type === 'UNKNOWN_MEMBER_ID') {
      isYielding = true;
      lease.lose();
    }
    // Anything else is the connection's trouble, and the lease ends by the clock.
  }

  const timer = setInterval(() => void fetched.heartbeat().catch(refused), config.heartbeatMs);
  return {
    isYielding: () => isYielding,
    end() {
      clearInterval(timer);
      clearTimeout(late);
    },
  };
}

function lettersOf(fetched: readonly Fetched[], parked: readonly ParkedBatch[]) {
  return parked.map((one) => {
    const message = fetched.find(({ offset }) => Number(offset) === one.originOffset);
    return { key: message?.key ?? null, value: message?.value ?? null, parked: one };
  });
}
