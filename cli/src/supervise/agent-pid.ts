/** Agents that run, by the locks they hold. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The process that its lock file names, if it is an agent; the file outlives its process, and pids come round again. */
export function agentPid(lockFile: string): number | undefined {
  try {
    const pid = Number(readFileSync(lockFile, 'utf8').trim());
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('agent/src/main.ts') ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** The agent that writes `spool`: it has the lock open. Needs root. */
export function writerOf(spool: string): number | undefined {
  const lockFile = join(spool, 'lock');
  const pid = agentPid(lockFile);
  if (pid === undefined) return undefined;
  return filesOf(pid).includes(lockFile) ? pid : undefined;
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
