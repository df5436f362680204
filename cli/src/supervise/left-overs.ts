/** Parts of a run whose supervisor was killed: the kernel told them to end; they may still be at it. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { cliError } from '../errors.ts';
import type { Places } from './places.ts';
import { isAlive } from './process-info.ts';
import type { RunFile } from './run-file.ts';

const WAIT_MS_MAX = 30_000;
const POLL_MS = 50;

/** Waits until they are gone. Throws CLI_ALREADY_RUNS when one of them stays. */
export async function leftOvers(places: Places, say: (text: string) => void): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  let said = false;
  for (;;) {
    const alive = Object.entries(partsOf(places)).filter(([, process]) => isAlive(process));
    const [first] = alive;
    if (!first) return;
    if (performance.now() > deadline) throw cliError('CLI_ALREADY_RUNS', [places.name, String(first[1].pid)]);
    if (!said) say(`waiting for ${alive.map(([part]) => part).join(' and ')} of a run that was killed`);
    said = true;
    await delay(POLL_MS);
  }
}

function partsOf(places: Places): RunFile['parts'] {
  try {
    return (JSON.parse(readFileSync(places.runFile, 'utf8')) as RunFile).parts;
  } catch {
    return {};
  }
}
