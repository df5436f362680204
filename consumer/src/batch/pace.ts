/**
 * When a partition may be read again: inserts that are not full keep a distance from each other, whatever partition
 * they are of, so that ClickHouse gets few parts. Meanwhile what comes waits in Kafka. Pure.
 */

export interface PaceLimits {
  /** Between two inserts into a table; each partition that has data waits so long for every one that has. */
  readonly insertMsMin: number;
  /** What is behind brings ranges of so many bytes, and these do not wait. */
  readonly fullBytes: number;
}

export interface Pace {
  /** Milliseconds for which a partition is left alone after `bytes` of it were stored. `nowMs` is monotonic. */
  restMs(stored: { readonly bytes: number }, nowMs: number): number;
}

export function createPace({ insertMsMin, fullBytes }: PaceLimits): Pace {
  /** When the next insert is due that nobody has asked for yet. */
  let freeMs = Number.NEGATIVE_INFINITY;
  return {
    restMs({ bytes }, nowMs) {
      if (bytes >= fullBytes) return 0;
      freeMs = Math.max(freeMs, nowMs) + insertMsMin;
      return freeMs - nowMs;
    },
  };
}
