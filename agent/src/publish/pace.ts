/**
 * How fast a backlog goes out: at most `replaySpeedMax` times as fast as it was recorded.
 *
 * So a fleet that comes back at once costs the brokers at most so many times what it costs them day by day, whatever
 * each host records, and what is recorded now never has to wait. An outage is caught up in its length divided by
 * `replaySpeedMax - 1`.
 */
export interface Pace {
  /** Milliseconds until what was recorded in `recordedMs` may go out. */
  waitMs(recordedMs: number): number;
  /** It goes out. */
  spend(recordedMs: number): void;
}

/** What may go out at once, and what one request holds at most: the time between two heartbeats. */
export const RECORDED_MS_MAX = 10_000;

/** A batch holds what was recorded since the one before it: a minute at most, the longest `batch.flushMs`. */
export const GAP_MS_MAX = 60_000;

/** `config` is read each time: it may change. */
export function createPace(
  config: { readonly replaySpeedMax: number },
  deps: { readonly nowMs: () => number },
): Pace {
  let creditMs = RECORDED_MS_MAX;
  let atMs = deps.nowMs();

  function refill(): void {
    const nowMs = deps.nowMs();
    creditMs = Math.min(RECORDED_MS_MAX, creditMs + (nowMs - atMs) * config.replaySpeedMax);
    atMs = nowMs;
  }

  return {
    waitMs(recordedMs) {
      if (config.replaySpeedMax === 0) return 0;
      refill();
      return Math.ceil(Math.max(0, Math.min(recordedMs, RECORDED_MS_MAX) - creditMs) / config.replaySpeedMax);
    },
    spend(recordedMs) {
      creditMs -= recordedMs;
    },
  };
}
