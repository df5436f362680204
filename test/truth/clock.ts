/** Kernel time against the wall clock, for comparing an agent's times with a program's. */
import { readFileSync } from 'node:fs';
import type { Check } from './check.ts';
import { between } from './check.ts';
import type { Bracket, Process } from './reply.ts';

/** How far off the difference between the clocks may be, which the agent takes once a boot. µs. */
export const CLOCK_SLACK_US = 500;
/** µs since the epoch, not before now. */
export const now = (): number => Date.now() * 1_000 + 999;

const TICK_US = 10_000;

/** An event that lies in the bracket. */
export const inside = ({ before, after }: Bracket): Check =>
  between(before - CLOCK_SLACK_US, after + CLOCK_SLACK_US);

/** Wall clock at boot, µs, from two clocks that may be read a scheduling apart: the nearest of many readings. */
function bootUs(): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let turn = 0; turn < 50; turn++) {
    const wallUs = Date.now() * 1_000;
    const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    // Uptime is read later and cut to hundredths: the largest difference is the nearest.
    best = Math.max(best, wallUs - uptime * 1_000_000);
  }
  return best;
}

const BOOT_US = bootUs();

/** Start of the process: its ticks since boot, each reading good to a tick. */
export const startOf = ({ start_ticks }: Process): Check => {
  const start = BOOT_US + start_ticks * TICK_US;
  return between(start - 2 * TICK_US, start + 2 * TICK_US);
};
