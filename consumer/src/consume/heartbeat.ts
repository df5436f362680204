/** Heartbeats while a range is stored: the group goes on counting on this member, or wants its partition back. */
import type { HeldLease } from './lease.ts';

export interface BeatConfig {
  /** Between two heartbeats. */
  readonly heartbeatMs: number;
  /** How long a range may still take when the group wants the partition back. */
  readonly yieldMsMax: number;
}

export interface Beat {
  /** The group wants the partition back. */
  isYielding(): boolean;
  end(): void;
}

/** `send` rejects as kafkajs does. The lease is lost when the group says so, and when it yields for too long. */
export function startBeat(send: () => Promise<void>, lease: HeldLease, config: BeatConfig): Beat {
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

  const timer = setInterval(() => void send().catch(refused), config.heartbeatMs);
  return {
    isYielding: () => isYielding,
    end() {
      clearInterval(timer);
      clearTimeout(late);
    },
  };
}
