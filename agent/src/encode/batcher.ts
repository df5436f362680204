/** Closes batches: the envelope around what was built, numbered 1, 2, 3 … within this run of the agent. */
import {
  type BatchEnvelope,
  encodeBatch,
  type Health,
  type NamespaceCount,
} from '@tcptrail/schemas/batch.ts';
import type { BatchBuilder } from './batch-builder.ts';

/** What no batch of this run changes. */
export type Identity = Pick<
  BatchEnvelope,
  'host_name' | 'host_id' | 'boot_id' | 'agent_version' | 'agent_epoch' | 'kernel_release' | 'labels'
>;

/** What a batch says beside its events. */
export type Accounting = Pick<
  BatchEnvelope,
  'kernel_epoch' | 'ring_positions' | 'cpus' | 'failed_reserves' | 'rules' | 'programs'
>;

interface Heartbeat {
  readonly health: Health;
  readonly namespaces: readonly NamespaceCount[];
}

export interface BatcherDeps {
  readonly builder: Pick<BatchBuilder, 'rows' | 'take'>;
  readonly nowUs: () => number;
  /** As of this batch, its events included. */
  readonly accounting: () => Accounting;
  /** Counters of network namespaces; in heartbeats. */
  readonly namespaces: () => readonly NamespaceCount[];
  /** The datum is the receiver's. `accounting`: as it is in the datum. */
  readonly onBatch: (batch: {
    readonly datum: Uint8Array;
    readonly accounting: Pick<Accounting, 'kernel_epoch' | 'ring_positions'>;
    readonly rows: number;
    readonly closedUs: number;
  }) => void;
}

export interface Batcher {
  /** Closes the events built so far into a batch, if there are any. */
  flush(): void;
  /** As `flush`, without events too: what was left out moves the account and the rings on. */
  cut(): void;
  /** Closes what is there, then a batch without events that carries the health. */
  heartbeat(health: Health): void;
  /** A batch without events for a kernel epoch that has ended. */
  closing(accounting: Pick<Accounting, 'kernel_epoch' | 'cpus'>): void;
  /** Labels of the batches from now on; what is open is closed with those it had. */
  setLabels(labels: Identity['labels']): void;
  /** Number of the last batch, 0 before the first. */
  readonly batchSeq: number;
}

export function createBatcher(identity: Identity, deps: BatcherDeps): Batcher {
  let batchSeq = 0;
  let { labels } = identity;

  function ship(accounting: Accounting, heartbeat?: Heartbeat): void {
    const { bytes, count, owners } = deps.builder.take();
    batchSeq += 1;
    const closedUs = deps.nowUs();
    const envelope: BatchEnvelope = {
      maybe_duplicate: false,
      ...identity,
      labels,
      batch_seq: batchSeq,
      batch_part: 1,
      batch_ts: closedUs,
      owners: count > 0 ? owners : [],
      ...accounting,
      namespaces: heartbeat?.namespaces ?? [],
      health: heartbeat?.health ?? null,
    };
    deps.onBatch({ datum: encodeBatch(envelope, { bytes, count }), accounting, rows: count, closedUs });
  }

  function flush(): void {
    if (deps.builder.rows > 0) ship(deps.accounting());
  }

  return {
    flush,
    cut: () => ship(deps.accounting()),
    heartbeat(health) {
      flush();
      ship(deps.accounting(), { health, namespaces: deps.namespaces() });
    },
    closing(ended) {
      flush();
      ship({ ...ended, ring_positions: [], failed_reserves: [], rules: [], programs: [] });
    },
    setLabels(next) {
      flush();
      labels = next;
    },
    get batchSeq() {
      return batchSeq;
    },
  };
}
