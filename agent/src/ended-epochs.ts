/**
 * Kernel epochs that have ended still owe a word: the closing account when their agent died, and a new one whenever
 * rows of theirs are dropped from a full spool.
 */
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import { closingAccount, type KernelAccount } from './encode/account.ts';

/** The kernel's account that a dead agent left behind. */
export interface StaleAccount {
  /** µs since the epoch. */
  readonly kernelEpoch: number;
  readonly cpus: readonly KernelAccount[];
}

export interface EndedEpochsDeps {
  readonly batcher: {
    closing(account: { readonly kernel_epoch: number; readonly cpus: readonly CpuAccount[] }): void;
  };
  readonly spool: {
    readonly dropped: Readonly<Record<string, Readonly<Record<string, number>>>>;
    readonly ended: Readonly<Record<string, readonly CpuAccount[]>>;
    readonly failed: string;
    lastAccounts(kernelEpoch: number): readonly CpuAccount[] | undefined;
    noteEnded(kernelEpoch: number, cpus: readonly CpuAccount[]): boolean;
  };
  readonly notices: { accountLost(kernelEpoch: number): void };
}

export interface EndedEpochs {
  /** Ships the closing account. False when the disk refused it: the stale one is still needed. */
  close(stale: StaleAccount): boolean;
  /** Ships a new account of each ended epoch that lost more rows than its last one says. */
  tell(currentEpoch: number): void;
}

export function createEndedEpochs(deps: EndedEpochsDeps): EndedEpochs {
  const { batcher, spool } = deps;
  /** Drops already looked at; the object is replaced whenever there are more. */
  let seen: unknown;

  return {
    close(stale) {
      const { kernelEpoch } = stale;
      const spooled = spool.lastAccounts(kernelEpoch);
      if (!spooled) deps.notices.accountLost(kernelEpoch);
      const cpus = closingAccount(stale.cpus, spooled ?? [], spool.dropped[kernelEpoch] ?? {});
      batcher.closing({ kernel_epoch: kernelEpoch, cpus });
      return spool.failed === '' && spool.noteEnded(kernelEpoch, cpus);
    },
    tell(currentEpoch) {
      if (spool.dropped === seen) return;
      seen = spool.dropped;
      for (const [epoch, rows] of Object.entries(spool.dropped)) {
        const cpus = spool.ended[epoch];
        if (Number(epoch) === currentEpoch || !cpus || isTold(cpus, rows)) continue;
        const account = cpus.map((cpu) => ({ ...cpu, spool_dropped: rows[cpu.cpu] ?? 0 }));
        batcher.closing({ kernel_epoch: Number(epoch), cpus: account });
        spool.noteEnded(Number(epoch), account);
      }
    },
  };
}

function isTold(cpus: readonly CpuAccount[], rows: Readonly<Record<string, number>>): boolean {
  return cpus.every((cpu) => cpu.spool_dropped === (rows[cpu.cpu] ?? 0));
}
