/** Agents that run, by the locks they hold. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { agentLock, type Places } from './places.ts';

/** What an agent noted in its lock file (agent/src/spool/lock.ts): its pid, its spool. It may have ended. Needs root. */
function notedIn(lockFile: string): readonly string[] {
  try {
    return readFileSync(lockFile, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** The process that its lock file names, if it is an agent; the file outlives its process, and pids come round again. */
export function agentPid(lockFile: string): number | undefined {
  try {
    const pid = Number(notedIn(lockFile)[0]);
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('agent/src/main.ts') ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** What the kernel holds of the instance is of an agent of this home; without a home it is, wherever its spool stands. */
export function ownsInstance({ home, instance, spool }: Places): boolean {
  return !home || notedIn(agentLock(instance))[1] === spool;
}

/** The agent that writes `spool`. Needs root. */
export const writerOf = (spool: string): number | undefined => holderOf(join(spool, 'lock'));

/** The agent that has the lock file open. Needs root. */
export function holderOf(lockFile: string): number | undefined {
  const pid = agentPid(lockFile);
  if (pid === undefined) return undefined;
  return filesOf(pid).includes(lockFile) ? pid : undefined;
}

/** An `up` started it, and would start it again. */
export function isPart(pid: number): boolean {
  try {
    // The name in parentheses may hold anything.
    const parent = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1];
    return readFileSync(`/proc/${parent}/cmdline`, 'utf8').includes('cli/src/main.ts');
  } catch {
    return false;
  }
}

function filesOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((fd) => readlinkSync(join(folder, fd)));
  } catch {
    // It ended meanwhile.
    return [];
  }
}
