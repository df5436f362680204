import { readdirSync, readFileSync } from 'node:fs';

/** A process for good: a pid that came round again has another start. */
export interface ProcessName {
  readonly pid: number;
  /** Clock ticks since boot. */
  readonly start: string;
}

export function nameOf(pid: number): ProcessName {
  return { pid, start: startOf(pid) };
}

export function isAlive({ pid, start }: ProcessName): boolean {
  return start !== '' && startOf(pid) === start;
}

/** '' when there is no such process, or nothing of it but its exit code. */
export function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Its first thread may have ended while others still hold its files and ports.
    const isOver = fields[0] === 'Z' && readdirSync(`/proc/${pid}/task`).length <= 1;
    return isOver || fields[0] === 'X' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
