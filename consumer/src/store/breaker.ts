/**
 * Circuit breaker before ClickHouse. Once it failed, one at a time tries, the others wait for its outcome, and that goes
 * for all. Whoever failed stands aside first, longer after each failure of its own: what fails for a reason of its own
 * does not hold the others up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { aborted } from '../aborted.ts';
import { waitMsOf } from './backoff.ts';

export interface Breaker {
  /**
   * Resolves when ClickHouse may be asked; rejects when aborted. Then one of the others is to be called. `failures`: of
   * the one who enters, in a row.
   */
  enter(signal: AbortSignal, failures?: number): Promise<void>;
  succeeded(): void;
  failed(): void;
  /** It ended for another reason. */
  left(): void;
}

/** `wait` rejects when aborted. */
export function createBreaker(
  wait: (ms: number, signal: AbortSignal) => Promise<void> = (ms, signal) => sleep(ms, undefined, { signal }),
  random: () => number = Math.random,
): Breaker {
  let isOpen = false;
  let trying: PromiseWithResolvers<void> | undefined;

  function settle(): void {
    trying?.resolve();
    trying = undefined;
  }

  return {
    async enter(signal, failures = 0) {
      if (failures > 0) await wait(waitMsOf(failures, random), signal);
      while (isOpen) {
        signal.throwIfAborted();
        if (!trying) {
          trying = Promise.withResolvers();
          return;
        }
        await Promise.race([trying.promise, aborted(signal)]);
      }
    },
    succeeded() {
      isOpen = false;
      settle();
    },
    failed() {
      isOpen = true;
      settle();
    },
    left: settle,
  };
}
