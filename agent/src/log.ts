/**
 * JSON lines on stderr. What can repeat goes through `limited`: at most one line a key and minute, the next one
 * saying how many were left out.
 */
import { pino } from 'pino';

export const LEVELS = ['info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];
type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  limited(level: Level, key: string, fields: Fields, message: string): void;
  /** Lines of less weight are left out from now on. */
  setLevel(level: Level): void;
  /** Repeated lines left out so far. */
  readonly suppressed: number;
}

const REPEAT_MS = 60_000;
/** Keys are code constants; this bounds a mistake. */
const KEYS_MAX = 256;

export function createLog(
  deps: { readonly write?: (line: string) => void; readonly nowMs?: () => number } = {},
): Log {
  const nowMs = deps.nowMs ?? (() => performance.now());
  const options = { base: { part: 'agent' }, timestamp: pino.stdTimeFunctions.isoTime };
  const { write } = deps;
  const out = pino(options, write ? { write } : standardError());
  const seen = new Map<string, { atMs: number; left: number }>();
  let suppressed = 0;

  return {
    info: (fields, message) => out.info(fields, message),
    warn: (fields, message) => out.warn(fields, message),
    limited(level, key, fields, message) {
      const last = seen.get(key);
      const now = nowMs();
      if (last && now - last.atMs < REPEAT_MS) {
        last.left += 1;
        suppressed += 1;
        return;
      }
      if (!last && seen.size >= KEYS_MAX) seen.clear();
      seen.set(key, { atMs: now, left: 0 });
      out[level](last?.left ? { ...fields, repeated: last.left } : fields, message);
    },
    setLevel(level) {
      out.level = level;
    },
    get suppressed() {
      return suppressed;
    },
  };
}

function standardError(): ReturnType<typeof pino.destination> {
  const out = pino.destination({ fd: 2, sync: true });
  // A supervisor that went away must not take the agent with it.
  out.on('error', () => {});
  return out;
}
