/** Kernel epochs that have ended still owe a word: a new account whenever rows of theirs are dropped from the spool. */
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';

export interface EndedEpochsDeps {
  readonly batcher: {
    closing(account: { readonly kernel_epoch: number; readonly cpus: readonly CpuAccount[] }): void;
  };
  readonly spool: {
    readonly dropped: Readonly<Record<string, Readonly<Record<string, number>>>>;
    readonly ended: Readonly<Record<string, readonly CpuAccount[]>>;
    noteEnded(kernelEpoch: number, cpus: readonly CpuAccount[]): boolean;
  };
}

export interface EndedEpochs {
  /** Ships a new account of each ended epoch that lost more rows than its last one says. */
  tell(currentEpoch: number): void;
}

export function createEndedEpochs(deps: EndedEpochsDeps): EndedEpochs {
  const { batcher, spool } = deps;
  /** Drops already looked at; the object is replaced whenever there are more. */
  let seen: unknown;

  return {
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
