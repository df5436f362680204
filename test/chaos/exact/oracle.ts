/** What was sent, and what of it the table has: the multiset of row identities. */
import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import { datumOf, NOW_US } from '../../spool-writer.ts';

const DAY_US = 86_400_000_000;
const EVENTS_MAX = 40;

export interface Difference {
  readonly lost: number;
  readonly doubled: number;
  /** Rows that were never sent. */
  readonly invented: number;
  /** Rows by which a tier says more or less than the table. */
  readonly untrue: number;
}

export interface Oracle {
  /** The next batch: events of two days, with numbers of their own. `change` does not change what is expected. */
  next(change?: Partial<BatchEnvelope>): Uint8Array;
  /** The last one that `next` gave, as an agent sends it again. */
  again(): Uint8Array;
  /** Of the rows and of the batches together, and of the tiers. */
  compare(rows: <T>(query: string) => Promise<T[]>): Promise<Difference>;
}

export function createOracle(below: (limit: number) => number): Oracle {
  let batches = 0;
  let events = 0;
  let last: { envelope: Partial<BatchEnvelope>; first: number; count: number } | undefined;

  function datum(change: Partial<BatchEnvelope>): Uint8Array {
    if (!last) throw new Error('no batch was made');
    const { envelope, first, count } = last;
    const made = Array.from({ length: count }, (_, index) => ({
      seq: first + index,
      tsUs: NOW_US - (index % 3 === 2 ? DAY_US : 0),
    }));
    return datumOf({ ...envelope, ...change }, made);
  }

  return {
    next(change = {}) {
      batches += 1;
      const count = 1 + below(EVENTS_MAX);
      last = { envelope: { agent_epoch: NOW_US, batch_seq: batches, ...change }, first: events + 1, count };
      events += count;
      return datum({});
    },
    again: () => datum({ maybe_duplicate: true }),
    async compare(rows) {
      const tiers = await rows<{ events: number }>(
        ['connections_5m', 'connections_1h', 'edges']
          .map((view) => `SELECT sum(events) AS events FROM {db}.${view}`)
          .join(' UNION ALL '),
      );
      const [found] = await rows<{ e: number; ue: number; me: number; b: number; ub: number; mb: number }>(
        `SELECT count() AS e, uniqExact(cpu, seq) AS ue, max(seq) AS me,
                (SELECT count() FROM {db}.tcp_batches) AS b,
                (SELECT uniqExact(batch_seq) FROM {db}.tcp_batches) AS ub,
                (SELECT max(batch_seq) FROM {db}.tcp_batches) AS mb
         FROM {db}.tcp_events`,
      );
      if (!found) throw new Error('no counts');
      return {
        lost: events - found.ue + (batches - found.ub),
        doubled: found.e - found.ue + (found.b - found.ub),
        invented: Math.max(0, found.me - events) + Math.max(0, found.mb - batches),
        untrue: tiers.reduce((sum, tier) => sum + Math.abs(tier.events - found.e), 0),
      };
    },
  };
}
