/** Waits between tries: doubling, with jitter, bounded; ends early when stopped. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Backoff {
  /** Waits and resolves with how long; rejects with `error` when the tries are used up or when stopped. */
  wait(error: Error): Promise<number>;
}

const FIRST_MS = 100;
const WAIT_MS_MAX = 5_000;

export function createBackoff(config: { readonly triesMax: number; readonly signal: AbortSignal }): Backoff {
  let tries = 0;
  return {
    async wait(error) {
      tries += 1;
      if (tries >= config.triesMax || config.signal.aborted) throw error;
      const ceiling = Math.min(WAIT_MS_MAX, FIRST_MS * 2 ** tries);
      const waitMs = Math.round(ceiling / 2 + (Math.random() * ceiling) / 2);
      await sleep(waitMs, undefined, { signal: config.signal }).catch(() => {
        throw error;
      });
      return waitMs;
    },
  };
}
