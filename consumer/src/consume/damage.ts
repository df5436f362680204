/** Which batches stood in damaged bytes: the numbers missing between the readable neighbours. */
import type { BatchIdentity, ParkedBatch } from './transport.ts';

export interface Damage {
  /** Start of the agent whose segment it is, µs. */
  readonly agentEpoch: number;
  readonly reason: string;
  readonly detail: string;
}

const NAMED_MAX = 10_000;

/** `before` and `next` are the readable batches around the damage, of one host. */
export function batchesIn(
  damages: readonly Damage[],
  before: BatchIdentity | undefined,
  next: BatchIdentity,
): readonly ParkedBatch[] {
  const named = new Map<string, ParkedBatch>();
  for (const damage of damages) {
    const from = before?.agentEpoch === damage.agentEpoch ? before.batchSeq + 1 : 1;
    // Behind the last batch of an ended run the count is not known: one is named for all.
    const to = next.agentEpoch === damage.agentEpoch ? next.batchSeq - 1 : from;
    for (let batchSeq = from; batchSeq <= Math.min(to, from + NAMED_MAX); batchSeq++) {
      const identity = { hostId: next.hostId, agentEpoch: damage.agentEpoch, batchSeq };
      const origin = spoolOrigin(identity);
      named.set(`${origin} ${batchSeq}`, {
        origin,
        originPartition: 0,
        originOffset: batchSeq,
        identity,
        reason: damage.reason,
        detail: damage.detail,
      });
    }
  }
  return [...named.values()];
}

export function spoolOrigin(identity: Pick<BatchIdentity, 'hostId' | 'agentEpoch'>): string {
  return `spool:${identity.hostId}:${identity.agentEpoch}`;
}
