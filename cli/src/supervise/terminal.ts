/** The terminal that this process was started on: SIGHUP says either that it went away or that somebody asks. */
import { closeSync, openSync } from 'node:fs';

/** False in a service, behind setsid, and when the terminal was closed. */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
