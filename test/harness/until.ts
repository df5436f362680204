/** Waits for a condition, never for a time: polls until it holds, and fails with what it saw at the deadline. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A deadline passed. */
export class Overdue extends Error {}

export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs = 60_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Overdue(`waited ${deadlineMs} ms in vain: ${what}`);
    await sleep(50);
  }
}
