/** Ticks a second of the running kernel: some of its TCP fields count ticks. */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';

const KNOWN = [100, 250, 300, 1000] as const;
/** The kernel's tick counter starts 5 minutes before it wraps 32 bits. */
const START_SECONDS = 300;

function read(path: string): string {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
  } catch {
    return '';
  }
}

/** Out of the kernel's configuration. */
export function hzOfConfig(text: string): number {
  return Number(/^CONFIG_HZ=(\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Out of /proc/timer_list: what the tick counter made of the time since boot. */
export function hzOfTimerList(text: string): number {
  const seconds = Number(/^now at (\d+) nsecs/m.exec(text)?.[1] ?? 0) / 1e9;
  const ticks = Number(/^jiffies: (\d+)/m.exec(text)?.[1] ?? 0) - 2 ** 32;
  const hz = ticks / (seconds - START_SECONDS);
  return KNOWN.find((known) => Math.abs(hz / known - 1) < 0.02) ?? 0;
}

/** 0 when it cannot be told. */
export function jiffiesHz(): number {
  return (
    hzOfConfig(read('/proc/config.gz')) ||
    hzOfConfig(read(`/boot/config-${release()}`)) ||
    hzOfTimerList(read('/proc/timer_list'))
  );
}
