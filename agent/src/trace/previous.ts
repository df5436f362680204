/** States of earlier runs that another took the place of: opened to be drained. */
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Libbpf } from './libbpf.ts';
import type { PinnedState, Pins } from './pins.ts';
import { createRecording, type Recording } from './recording.ts';

/** One that cannot be drained. */
export interface UndrainedState {
  /** µs since the epoch. */
  readonly kernelEpoch: number;
  readonly reason: string;
}

export interface PreviousStates {
  /** Oldest first. */
  readonly previous: readonly Recording[];
  /** They cannot be opened now, and stay pinned. */
  readonly unopened: readonly UndrainedState[];
  /** Nothing could be read of them, or too many waited: they are gone. */
  readonly givenUp: readonly UndrainedState[];
}

export const NO_PREVIOUS: PreviousStates = { previous: [], unopened: [], givenUp: [] };

/** While a disk refuses what they hold. Each keeps its rings in memory. */
export const PREVIOUS_MAX = 4;

/** `states`: oldest first; from now on they record no more. */
export function openPrevious(
  states: readonly PinnedState[],
  deps: { readonly pins: Pick<Pins, 'load' | 'remove' | 'removeLinks'>; readonly libbpf: Libbpf },
): PreviousStates {
  const { pins, libbpf } = deps;
  const previous: Recording[] = [];
  const unopened: UndrainedState[] = [];
  const givenUp: UndrainedState[] = [];
  const giveUp = (kernelEpoch: number, reason: string): void => {
    givenUp.push({ kernelEpoch, reason });
    pins.remove(kernelEpoch);
  };

  for (const { kernelEpoch } of states.slice(0, -PREVIOUS_MAX))
    giveUp(kernelEpoch, `${PREVIOUS_MAX} later ones wait for the disk too`);
  for (const found of states.slice(-PREVIOUS_MAX)) {
    const { kernelEpoch } = found;
    pins.removeLinks(kernelEpoch);
    try {
      previous.push(createRecording(libbpf, pins.load(found), { isResumed: true }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // All else, as a want of memory, says nothing of the state.
      if (error instanceof AppError && error.code === 'TRACE_STATE') giveUp(kernelEpoch, reason);
      else unopened.push({ kernelEpoch, reason });
    }
  }
  return { previous, unopened, givenUp };
}
