/**
 * Circuit breaker before ClickHouse. Once it failed, all wait; after a while, doubling and with jitter, one of them
 * tries, and its outcome goes for all.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitMsOf } from './backoff.ts';

export interface Breaker {
  /** Resolves when ClickHouse may be asked; rejects when aborted. Then one of the others is to be called. */
  enter(signal: AbortSignal): Promise<void>;
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
  /** In a row; 0 = closed. */
  let failures = 0;
  let trying: PromiseWithResolvers<void> | undefined;

  function settle(): void {
    trying?.resolve();
    trying = undefined;
  }

  return {
    async enter(signal) {
      while (failures > 0) {
        signal.throwIfAborted();
        if (trying) {
          await Promise.race([trying.promise, aborted(signal)]);
          continue;
        }
        trying = Promise.withResolvers();
        try {
          await wait(waitMsOf(failures, random), signal);
        } catch {
          // Another one's turn.
          settle();
          signal.throwIfAborted();
        }
        return;
      }
    },
    succeeded() {
      failures = 0;
      settle();
    },
    failed() {
      failures += 1;
      settle();
    },
    left: settle,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
