/** Figures as people read them: three digits and a unit. */

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

const threeDigits = (value: number): string =>
  value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);

/** `1536` → `1.50 KiB`; whole bytes have no decimals. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1023.5 && unit < SIZES.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${count} B` : `${threeDigits(value)} ${SIZES[unit]}`;
}

/** Microseconds: `850 µs`, `12.3 ms`, `4.07 s`, `3 m 20 s`, `2 h 05 m`, `3 d 04 h`. */
export function duration(us: number): string {
  if (us < 1_000) return `${us} µs`;
  if (us < 999_500) return `${threeDigits(us / 1_000)} ms`;
  if (us < 59_950_000) return `${threeDigits(us / 1_000_000)} s`;
  const seconds = Math.round(us / 1_000_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** `1234567` → `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `plural(1, 'row')` → `1 row`, `plural(2, 'row')` → `2 rows`; `many` where it is not the noun and an s. */
export function plural(value: number, noun: string, many = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : many}`;
}
