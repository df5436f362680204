/** Waits for a condition, with a deadline that only a defect reaches. */
import { setTimeout as delay } from 'node:timers/promises';

const DEADLINE_MS = 60_000;

export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${DEADLINE_MS / 1_000} s for ${what}`);
    await delay(50);
  }
}
