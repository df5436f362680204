/** Waits between tries: doubling, with jitter, bounded; ends early when stopped. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Backoff {
  /** Waits and resolves with how long; rejects with `error` when the tries are used up or when stopped. */
  wait(error: Error): Promise<number>;
}

const FIRST_MS = 100;
const WAIT_MS_MAX = 5_000;

/** `failures` in a row, from 1. */
export function waitMsOf(failures: number, random: () => number = Math.random): number {
  const ceiling = Math.min(WAIT_MS_MAX, FIRST_MS * 2 ** failures);
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

export function createBackoff(config: { readonly triesMax: number; readonly signal: AbortSignal }): Backoff {
  let tries = 0;
  return {
    async wait(error) {
      tries += 1;
      if (tries >= config.triesMax || config.signal.aborted) throw error;
      const waitMs = waitMsOf(tries);
      await sleep(waitMs, undefined, { signal: config.signal }).catch(() => {
        throw error;
      });
      return waitMs;
    },
  };
}
