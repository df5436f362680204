/**
 * What batches are of: a recording, and the account of what became of it. One after another, those that were replaced
 * before the one that goes on.
 */
import { RINGS } from '@tcptrail/schemas/enums.ts';
import { createDrain, type Drain, type DrainDeps } from './drain.ts';
import { type Account, createAccount } from './encode/account.ts';
import type { Accounting } from './encode/batcher.ts';
import { type ResumeDeps, resume } from './resume.ts';
import type { Recording } from './trace/recording.ts';

export interface TellingDeps extends ResumeDeps {
  readonly spool: ResumeDeps['spool'] &
    DrainDeps['spool'] & { readonly dropped: Readonly<Record<string, Readonly<Record<string, number>>>> };
  readonly onBadRecords: (count: number) => void;
  readonly onUnsettled: () => void;
}

export interface Telling extends Pick<Account, 'row' | 'fold' | 'filter'> {
  /** A record became no row. */
  bad(count?: number): void;
  /** From now on batches are of this one; goes on where an earlier run left it, or this one did. */
  begin(recording: Recording, to: Pick<DrainDeps, 'builder' | 'batcher'>): Drain;
  /** The one that was begun last. */
  readonly recording: Recording;
  /** Asks the kernel what it skipped: about 3 µs a program. */
  countSkipped(): void;
  /** As a batch ships it; `programs` as they were counted last. */
  accounting(): Pick<Accounting, 'kernel_epoch' | 'ring_positions' | 'cpus' | 'failed_reserves' | 'programs'>;
  /** What was shipped last. */
  readonly shipped: Accounting['cpus'];
  /** Call it when a batch is in the spool: what it holds of the rings is given back to the kernel. */
  release(accounting: Pick<Accounting, 'ring_positions'>): () => void;
}

export function createTelling(deps: TellingDeps): Telling {
  const { spool } = deps;
  let current: Recording | undefined;
  let account = createAccount();
  const accounts = new WeakMap<Recording, Account>();
  let programs: Accounting['programs'] = [];
  let shipped: Accounting['cpus'] = [];

  const recording = (): Recording => {
    if (!current) throw new Error('nothing is told yet');
    return current;
  };
  function bad(count = 1): void {
    account.bad();
    deps.onBadRecords(count);
  }

  function countSkipped(): void {
    programs = recording().skippedRuns();
  }

  return {
    row: (cpu, seq) => account.row(cpu, seq),
    fold: (cpu, seq) => account.fold(cpu, seq),
    filter: (cpu, seq) => account.filter(cpu, seq),
    bad,
    begin(next, to) {
      current = next;
      account = accounts.get(next) ?? resume(next, deps);
      accounts.set(next, account);
      countSkipped();
      const { onUnsettled } = deps;
      return createDrain({ ...to, recording: next, account, spool, onUnsettled, onBadRecords: bad });
    },
    get recording() {
      return recording();
    },
    countSkipped,
    accounting() {
      const { kernelEpoch, rings, failedReserves } = recording();
      shipped = account.cpus(spool.dropped[kernelEpoch] ?? {});
      return {
        kernel_epoch: kernelEpoch,
        ring_positions: RINGS.map((ring) => ({ ring, position: rings[ring].position })),
        cpus: shipped,
        failed_reserves: failedReserves(),
        programs,
      };
    },
    get shipped() {
      return shipped;
    },
    release({ ring_positions }) {
      const { rings } = recording();
      return () => {
        for (const { ring, position } of ring_positions) rings[ring].release(position);
      };
    },
  };
}
