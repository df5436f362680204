/** Kernel states that another took the place of: what they still hold is told, then they go. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import type { Drain } from './drain.ts';

/** A program that was under way when its state was replaced ends within this. */
const TURNS_MAX = 100;
const TURN_MS = 10;
const AGAIN_MS = 60_000;

export interface PreviousStatesDeps<Recording> {
  readonly trace: {
    readonly recording: Recording;
    readonly previous: readonly Recording[];
    /** Those that could not be opened. */
    readonly unopened: readonly { readonly kernelEpoch: number }[];
    /** All of it is told. */
    forget(kernelEpoch: number): void;
  };
  /** From now on batches are of this recording. */
  readonly begin: (recording: Recording) => Drain;
  /** What was shipped last. */
  readonly cpus: () => readonly CpuAccount[];
  readonly batcher: { flush(): void; cut(): void };
  readonly spool: {
    readonly failed: string;
    noteEnded(kernelEpoch: number, cpus: readonly CpuAccount[]): boolean;
  };
  readonly onLeft: (kernelEpochs: readonly number[]) => void;
}

export interface PreviousStates {
  /** Kernel epochs of those that stay pinned, untold. */
  readonly left: readonly number[];
  /** What the disk does not take now stays pinned for the next time, or the next start. */
  tell(): Promise<void>;
  /** Once a turn: again, when that is due and the disk takes batches. */
  turn(nowMs: number): Promise<void>;
}

export function createPreviousStates<Recording extends { readonly kernelEpoch: number }>(
  deps: PreviousStatesDeps<Recording>,
): PreviousStates {
  const { trace, batcher, spool } = deps;
  let dueMs = 0;

  const leftNow = (): readonly number[] =>
    [...trace.previous, ...trace.unopened].map(({ kernelEpoch }) => kernelEpoch);

  async function tellOne(recording: Recording): Promise<void> {
    const { kernelEpoch } = recording;
    const drain = deps.begin(recording);
    let isWhole = false;
    for (let turn = 0; turn < TURNS_MAX && !isWhole; turn += 1) {
      if (turn > 0) await sleep(TURN_MS);
      isWhole = drain.turn();
    }
    batcher.cut();
    // Of one that is left too: rows of it may be dropped from the spool, or read, before it is told to its end.
    const isNoted = spool.failed === '' && spool.noteEnded(kernelEpoch, deps.cpus());
    if (isWhole && isNoted) trace.forget(kernelEpoch);
  }

  async function tell(): Promise<void> {
    batcher.flush();
    // Where an earlier run left each, before any is told: what is told pushes from a full spool what says so.
    for (const recording of [...trace.previous, trace.recording]) deps.begin(recording);
    for (const recording of trace.previous) await tellOne(recording);
    deps.begin(trace.recording);
    deps.onLeft(leftNow());
  }

  return {
    get left() {
      return leftNow();
    },
    tell,
    async turn(nowMs) {
      if (trace.previous.length === 0 || spool.failed !== '' || nowMs < dueMs) return;
      await tell();
      // What the disk refused is due as soon as it takes batches again.
      if (spool.failed === '') dueMs = nowMs + AGAIN_MS;
    },
  };
}
