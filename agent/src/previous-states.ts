/** Kernel states that another took the place of: what they still hold is told, then they go. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import type { Drain } from './drain.ts';

/** A program that was under way when its state was replaced ends within this. */
const TURNS_MAX = 100;
const TURN_MS = 10;

export interface PreviousStatesDeps<Recording> {
  /** From now on batches are of this recording. */
  readonly begin: (recording: Recording) => {
    readonly drain: Drain;
    readonly cpus: () => readonly CpuAccount[];
  };
  readonly batcher: { cut(): void };
  readonly spool: {
    readonly failed: string;
    noteEnded(kernelEpoch: number, cpus: readonly CpuAccount[]): boolean;
  };
  /** All of it is told. */
  readonly forget: (kernelEpoch: number) => void;
  readonly onLeft: (kernelEpoch: number) => void;
}

/** What the disk does not take now stays pinned for the next start. */
export async function tellPrevious<Recording extends { readonly kernelEpoch: number }>(
  recordings: readonly Recording[],
  deps: PreviousStatesDeps<Recording>,
): Promise<void> {
  for (const recording of recordings) {
    const { kernelEpoch } = recording;
    const { drain, cpus } = deps.begin(recording);
    let isWhole = false;
    for (let turn = 0; turn < TURNS_MAX && !isWhole; turn += 1) {
      if (turn > 0) await sleep(TURN_MS);
      isWhole = drain.turn();
    }
    deps.batcher.cut();
    const isTold = isWhole && deps.spool.failed === '' && deps.spool.noteEnded(kernelEpoch, cpus());
    if (isTold) deps.forget(kernelEpoch);
    else deps.onLeft(kernelEpoch);
  }
}
