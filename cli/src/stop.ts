/** `tcptrail stop`: ends a running `up` and waits until it is gone. */
import { setTimeout as delay } from 'node:timers/promises';
import { cliError, reasonOf } from './errors.ts';
import { type Places, placesOf } from './supervise/places.ts';
import { isAlive } from './supervise/process-info.ts';
import { readRunFile } from './supervise/run-file.ts';

export interface StopOptions {
  readonly home?: string;
  readonly instance: string;
  readonly force?: boolean;
}

/** `up` gives its parts less than this. */
const WAIT_MS_MAX = 90_000;
const POLL_MS = 50;

export async function stop(options: StopOptions): Promise<void> {
  const places = placesOf(options);
  const pid = await stopRunning(places, options.force === true);
  process.stdout.write(pid === undefined ? `nothing runs for ${places.name}\n` : `stopped (pid ${pid})\n`);
}

/** Gives the pid that was ended, undefined when nothing ran. Throws CLI_NOT_STOPPED. */
export async function stopRunning(places: Places, force: boolean): Promise<number | undefined> {
  const run = readRunFile(places);
  if (!run) return undefined;
  const { supervisor } = run;
  // A killed supervisor takes its parts with it: the kernel sends them SIGTERM.
  signal(supervisor.pid, force ? 'SIGKILL' : 'SIGTERM');
  const all = [supervisor, ...Object.values(run.parts)];
  const deadline = performance.now() + WAIT_MS_MAX;
  while (all.some(isAlive)) {
    if (performance.now() > deadline)
      throw cliError('CLI_NOT_STOPPED', [String(supervisor.pid), String(WAIT_MS_MAX / 1_000)]);
    await delay(POLL_MS);
  }
  return supervisor.pid;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === 'EPERM') throw cliError('CLI_NOT_ROOT', ['stop'], { cause: error });
    if (reason !== 'ESRCH') throw error;
  }
}
