/** When enough is in hand to be stored: by rows, bytes, messages or age. Pure; the caller keeps what it counts. */

export interface BatcherLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
  readonly flushMs: number;
}

export interface Batcher {
  readonly isEmpty: boolean;
  /** Whether one more of this size must wait for the next range. The first one always fits. */
  isFullFor(item: { readonly rows: number; readonly bytes: number }): boolean;
  add(item: { readonly rows: number; readonly bytes: number }, nowMs: number): void;
  /** Milliseconds until the oldest has waited long enough; 0 = store now, Infinity = nothing in hand. */
  waitMs(nowMs: number): number;
  clear(): void;
}

/** One INSERT of batch rows must stay one block. */
const MESSAGES_MAX = 10_000;

export function createBatcher(limits: BatcherLimits): Batcher {
  let rows = 0;
  let bytes = 0;
  let messages = 0;
  let sinceMs = 0;
  return {
    get isEmpty() {
      return messages === 0;
    },
    isFullFor: (item) =>
      messages > 0 &&
      (rows + item.rows > limits.rowsMax ||
        bytes + item.bytes > limits.bytesMax ||
        messages + 1 > MESSAGES_MAX),
    add(item, nowMs) {
      if (messages === 0) sinceMs = nowMs;
      rows += item.rows;
      bytes += item.bytes;
      messages += 1;
    },
    waitMs(nowMs) {
      if (messages === 0) return Number.POSITIVE_INFINITY;
      return Math.max(0, sinceMs + limits.flushMs - nowMs);
    },
    clear() {
      rows = 0;
      bytes = 0;
      messages = 0;
    },
  };
}
