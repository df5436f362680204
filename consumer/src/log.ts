/**
 * JSON lines on stderr. Of lines that differ in numbers alone, so many are written a minute; the first of a later
 * minute says how many were left out. What ends the consumer is always written.
 */
import { type DestinationStream, type Logger, pino } from 'pino';

const MINUTE_MS = 60_000;
const LINES_A_MINUTE_MAX = 10;
/** Texts are code constants with numbers and names in them; this bounds the names. */
const KEYS_MAX = 256;
const FATAL = pino.levels.values['fatal'];

export function createLog(
  deps: {
    readonly out?: DestinationStream;
    readonly nowMs?: () => number;
    /** Called for each line left out. */
    readonly onSuppressed?: () => void;
  } = {},
): Logger {
  const nowMs = deps.nowMs ?? (() => performance.now());
  const seen = new Map<string, { sinceMs: number; lines: number }>();

  /** Lines left out before this one, or undefined when it is left out too. */
  function admit(text: string): number | undefined {
    const key = text.replaceAll(/\d+/g, '#');
    const now = nowMs();
    const known = seen.get(key);
    if (known && now - known.sinceMs < MINUTE_MS) {
      known.lines += 1;
      return known.lines > LINES_A_MINUTE_MAX ? undefined : 0;
    }
    if (!known && seen.size >= KEYS_MAX) seen.clear();
    seen.set(key, { sinceMs: now, lines: 1 });
    return Math.max(0, (known?.lines ?? 0) - LINES_A_MINUTE_MAX);
  }

  return pino(
    {
      base: { part: 'consumer' },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: {
        logMethod(args, write, level) {
          const [first, second] = args as [unknown, unknown];
          const left = level === FATAL ? 0 : admit(String(typeof first === 'string' ? first : second));
          if (left === undefined) deps.onSuppressed?.();
          else if (left === 0) write.apply(this, args);
          else if (typeof first === 'string') write.apply(this, [{ repeated: left }, first]);
          else write.apply(this, [{ ...(first as object), repeated: left }, String(second)]);
        },
      },
    },
    deps.out ?? pino.destination({ dest: 2, sync: true }),
  );
}
