/** `tcptrail stop`: ends a running `up` or agent, waits until it is gone, and leaves nothing in the kernel. */

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isPinned } from '@tcptrail/agent/trace/pins.ts';
import { cliError, reasonOf } from './errors.ts';
import { holderOf, isPart, ownsInstance } from './supervise/agent-pid.ts';
import { endRecording } from './supervise/end-recording.ts';
import { removePins } from './supervise/pins.ts';
import { agentLock, type Places, placesOf } from './supervise/places.ts';
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
  const said: string[] = [];
  const pid = (await stopRunning(places, options.force === true)) ?? (await stopAgent(places));
  if (pid !== undefined) said.push(`stopped (pid ${pid})`);
  if (isPinned(places.instance) && ownsInstance(places))
    said.push(await endLeft(places, options.force === true));
  if (said.length === 0) said.push(`nothing runs for ${places.name}`);
  process.stdout.write(`${said.join('\n')}\n`);
}

/** What the kernel still records for an agent that is gone. */
async function endLeft(places: Places, force: boolean): Promise<string> {
  const problem = await endRecording(places);
  if (problem === '')
    return `ended the recording that an agent left in the kernel; what it held is in ${places.spool}`;
  // It may be an agent's that still runs, or what a full disk did not take.
  if (!force) throw cliError('CLI_RECORDING_LEFT', [places.instance, problem]);
  removePins(places.instance);
  return `ended the recording that an agent left in the kernel; what it held is gone: ${problem}`;
}

/** One that runs by itself, without `up`. */
export async function stopAgent(places: Places): Promise<number | undefined> {
  // Where no home is named, it is the one of the instance, wherever its configuration puts the spool.
  const locks = [join(places.spool, 'lock'), ...(places.home ? [] : [agentLock(places.instance)])];
  const lock = locks.find((file) => holderOf(file) !== undefined);
  const pid = lock === undefined ? undefined : holderOf(lock);
  if (lock === undefined || pid === undefined || isPart(pid)) return undefined;
  signal(pid, 'SIGINT');
  const deadline = performance.now() + WAIT_MS_MAX;
  while (holderOf(lock) === pid) {
    if (performance.now() > deadline)
      throw cliError('CLI_NOT_STOPPED', [String(pid), String(WAIT_MS_MAX / 1_000)]);
    await delay(POLL_MS);
  }
  return pid;
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
