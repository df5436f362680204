/**
 * Waits between two tries to reach Kafka: a random part of a ceiling that doubles ("full jitter"), so that hosts that
 * lost it at one moment come back evenly over the whole ceiling, not in waves.
 */
export interface Backoff {
  /** Milliseconds to wait after one more failure. */
  nextMs(): number;
  /** Kafka took something. */
  reset(): void;
}

const FIRST_CEILING_MS = 500;

/** `config` is read each time: it may change. */
export function createBackoff(
  config: { readonly retryWaitMsMax: number },
  deps: { readonly random: () => number },
): Backoff {
  let failures = 0;
  return {
    nextMs: () => deps.random() * Math.min(config.retryWaitMsMax, FIRST_CEILING_MS * 2 ** failures++),
    reset() {
      failures = 0;
    },
  };
}
