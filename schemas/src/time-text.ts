/** Times as ClickHouse's text formats read them. */

/** What DateTime64(6) holds at most: the last second of 2299. */
const TIME_US_MAX = 10_413_791_999e6;

/** µs since the epoch as `2026-01-02 03:04:05.000006`, UTC; what is out of range becomes the nearest time in it. */
export function timeText(us: number): string {
  const clamped = Math.min(Math.max(us, 0), TIME_US_MAX);
  const micros = String(clamped % 1_000_000).padStart(6, '0');
  return `${new Date(Math.floor(clamped / 1_000_000) * 1000).toISOString().slice(0, 19).replace('T', ' ')}.${micros}`;
}
