/** What /proc says of a process. */
import { readFileSync } from 'node:fs';

/**
 * Start of a process in clock ticks since boot; '' when there is none or it is a zombie.
 *
 * With the pid it names a process for good: a pid that came round again has another start.
 */
export function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

export interface ProcessName {
  readonly pid: number;
  readonly start: string;
}

export function nameOf(pid: number): ProcessName {
  return { pid, start: startOf(pid) };
}

export function isAlive({ pid, start }: ProcessName): boolean {
  return start !== '' && startOf(pid) === start;
}
