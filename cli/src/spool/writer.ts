/** Whether an agent writes a spool now, as any user can see it. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** By the lock that the agent holds, in the kernel's list: its file need not be readable. */
export function isWritten(spool: string): boolean {
  try {
    const { ino } = statSync(join(spool, 'lock'));
    return readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .some((line) => line.includes(' FLOCK ') && line.includes(`:${ino} `));
  } catch {
    return false;
  }
}
