/**
 * The right to store what a partition holds: lost when the group gives the partition to another consumer.
 *
 * The brokers hand a silent consumer's partitions on after `sessionMs`, so the right ends by the clock too, early
 * enough that nothing is inserted which the next owner cannot see. Read just before each INSERT.
 */
import { failure } from '../errors.ts';
import type { Lease } from './transport.ts';

export interface Membership {
  /** The group was joined: whatever was held before is lost. */
  joined(): void;
  /** The coordinator answered a heartbeat. */
  heard(): void;
  /** The coordinator does not know this member any more, or the consumer ended. */
  lost(): void;
  /** For what is in hand now; its signal's reason is a CONSUMER_PARTITION_LOST. */
  lease(): Lease;
  /** Whether this is the first question for the partition since it was assigned. */
  isFirst(partition: number): boolean;
}

/** `heldMs` after the last answered heartbeat the right ends. `nowMs` is monotonic. */
export function createMembership(config: { readonly heldMs: number }, nowMs: () => number): Membership {
  let holding = new AbortController();
  let heldUntilMs = 0;
  let seen = new Set<number>();

  function end(why: string): void {
    holding.abort(failure('CONSUMER_PARTITION_LOST', `${why}; what was not committed is read again`));
  }

  return {
    joined() {
      end('the group was joined anew');
      holding = new AbortController();
      heldUntilMs = nowMs() + config.heldMs;
      seen = new Set();
    },
    heard() {
      heldUntilMs = nowMs() + config.heldMs;
    },
    lost() {
      end('the partition belongs to another consumer now');
    },
    lease() {
      const { signal } = holding;
      return {
        signal,
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
