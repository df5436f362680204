/** When a part that died is started again, and when that is given up. */

export interface Backoff {
  /** Milliseconds to wait before the next start; undefined: give up. `upMs` is how long it had run. */
  next(upMs: number): number | undefined;
  /** Deaths in a row. */
  readonly deaths: number;
}

const FIRST_MS = 250;
const LONGEST_MS = 10_000;
/** A part that ran this long was healthy: its death starts a new row. */
export const HEALTHY_MS = 30_000;
export const DEATHS_MAX = 6;

export function createBackoff(): Backoff {
  let deaths = 0;
  return {
    get deaths() {
      return deaths;
    },
    next(upMs) {
      deaths = upMs >= HEALTHY_MS ? 1 : deaths + 1;
      if (deaths >= DEATHS_MAX) return undefined;
      return Math.min(LONGEST_MS, FIRST_MS * 2 ** (deaths - 1));
    },
  };
}
