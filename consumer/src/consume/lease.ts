/**
 * The right to store what a partition holds: lost when the group gives the partition to another consumer.
 *
 * The brokers hand a silent consumer's partitions on after `sessionMs`, so the right ends by the clock too, early
 * enough that nothing is inserted which the next owner cannot see. Read just before each INSERT.
 */
import { failure } from '../errors.ts';
import type { Lease } from './transport.ts';

export interface HeldLease extends Lease {
  /** The group wants the partition back, or does not know this member any more. Ends what was joined then, no later join. */
  lose(): void;
}

export interface Membership {
  /** The group was joined: whatever was held before is lost. */
  joined(): void;
  /** The coordinator answered a heartbeat. */
  heard(): void;
  /** The consumer ended. */
  lost(): void;
  /** For what is in hand now; its signal's reason is a CONSUMER_PARTITION_LOST. */
  lease(): HeldLease;
  /** Whether this is the first question for the partition since it was assigned. */
  isFirst(partition: number): boolean;
}

/** `heldMs` after the last answered heartbeat the right ends. `nowMs` is monotonic. */
export function createMembership(config: { readonly heldMs: number }, nowMs: () => number): Membership {
  let holding = new AbortController();
  let heldUntilMs = 0;
  let seen = new Set<number>();

  function end(held: AbortController, why: string): void {
    held.abort(failure('CONSUMER_PARTITION_LOST', `${why}; what was not committed is read again`));
  }

  return {
    joined() {
      end(holding, 'the group was joined anew');
      holding = new AbortController();
      heldUntilMs = nowMs() + config.heldMs;
      seen = new Set();
    },
    heard() {
      heldUntilMs = nowMs() + config.heldMs;
    },
    lost() {
      end(holding, 'the consumer ended');
    },
    lease() {
      const held = holding;
      const { signal } = held;
      return {
        signal,
        lose: () => end(held, 'the group gives the partition to another consumer'),
        assertHeld() {
          signal.throwIfAborted();
          if (nowMs() >= heldUntilMs) {
            throw failure(
              'CONSUMER_PARTITION_LOST',
              `no heartbeat was answered for ${config.heldMs} ms; what was not committed is read again`,
            );
          }
        },
      };
    },
    isFirst(partition) {
      if (seen.has(partition)) return false;
      seen.add(partition);
      return true;
    },
  };
}
