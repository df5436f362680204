/**
 * Runs that ended without a word, in a row: `crashes.json` in the spool. Whatever starts the agent again, and however
 * soon, it waits longer and longer before it touches the kernel.
 *
 * A run counts from before its programs are attached until it has ended by itself or has run for a while. A count that
 * is older than an hour is forgotten.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface Crashes {
  /** Runs before this one. */
  readonly count: number;
  /** Before this run may begin. */
  readonly waitMs: number;
  /** From now on it counts, until `ended` or `healthy`. */
  begin(): void;
  /** It ended by itself, well or with a sentence. */
  ended(): void;
  /** Tells how long it has run. */
  ran(nowMs: number): void;
}

/** So many may follow each other at once: a kill or two says nothing. */
const FREE = 3;
const WAIT_MS_FIRST = 5_000;
/** A run of this length was no crash loop. */
const HEALTHY_MS = 60_000;
const FORGOTTEN_MS = 3_600_000;

export function createCrashes(
  config: { readonly file: string; readonly crashWaitMsMax: number },
  deps: { readonly nowMs: () => number; readonly timeMs: () => number },
): Crashes {
  const { file, crashWaitMsMax } = config;
  let beganMs: number | undefined;
  const count = read(file, deps.timeMs());

  /** A disk that refuses costs the count, never the run. */
  function write(crashes: number): void {
    try {
      writeFileSync(`${file}.new`, `${JSON.stringify({ crashes, ts_ms: deps.timeMs() })}\n`, { mode: 0o640 });
      renameSync(`${file}.new`, file);
    } catch {}
  }
  function over(): void {
    if (beganMs !== undefined) write(0);
    beganMs = undefined;
  }

  return {
    count,
    waitMs: count < FREE ? 0 : Math.min(crashWaitMsMax, WAIT_MS_FIRST * 2 ** Math.min(count - FREE, 20)),
    begin() {
      beganMs = deps.nowMs();
      write(count + 1);
    },
    ended: over,
    ran(nowMs) {
      if (beganMs !== undefined && nowMs - beganMs >= HEALTHY_MS) over();
    },
  };
}

function read(file: string, timeMs: number): number {
  try {
    const { crashes, ts_ms } = JSON.parse(readFileSync(file, 'utf8')) as { crashes: unknown; ts_ms: unknown };
    if (typeof crashes !== 'number' || typeof ts_ms !== 'number') return 0;
    return Math.abs(timeMs - ts_ms) < FORGOTTEN_MS ? Math.max(0, Math.floor(crashes)) : 0;
  } catch {
    return 0;
  }
}
