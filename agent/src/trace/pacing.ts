/** How long to wait before the rings are read again. Pure: told what the last read found. */

export interface PacingConfig {
  /** Ordinary wait. */
  readonly pollMs: number;
  /** Shortest wait, when the rings fill fast. */
  readonly pollMsMin: number;
  /** Wait when nothing happens. */
  readonly idleMs: number;
  /** Rings empty for this long: nothing happens. */
  readonly idleAfterMs: number;
}

export const PACING_DEFAULT: PacingConfig = { pollMs: 100, pollMsMin: 10, idleMs: 500, idleAfterMs: 2_000 };

export interface Pacing {
  /** Wait in ms. `fill`: share of the fuller ring that was taken when it was read, 0 to 1. */
  next(found: { readonly fill: number; readonly nowMs: number }): number;
}

export function createPacing(config: PacingConfig = PACING_DEFAULT): Pacing {
  let waitMs = config.pollMs;
  let emptySinceMs: number | undefined;

  return {
    next({ fill, nowMs }) {
      if (fill > 0) emptySinceMs = undefined;
      else emptySinceMs ??= nowMs;
      if (emptySinceMs !== undefined && nowMs - emptySinceMs >= config.idleAfterMs) {
        waitMs = config.pollMs;
        return config.idleMs;
      }
      if (fill > 0.5) waitMs = Math.max(config.pollMsMin, waitMs / 2);
      else if (fill < 0.25) waitMs = Math.min(config.pollMs, waitMs * 2);
      return waitMs;
    },
  };
}
