/** The process that listens on a TCP port, out of /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTEN = '0A';

/** `name (pid N)`, or undefined where it cannot be seen. */
export function holderOf(port: number): string | undefined {
  const sockets = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeners(file, port)));
  if (sockets.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (linksOf(pid).some((link) => sockets.has(link))) return `${commOf(pid)} (pid ${pid})`;
  }
  return undefined;
}

function listeners(file: string, port: number): readonly string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readLines(file)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(wanted))
    .map((fields) => `socket:[${fields[9]}]`);
}

function linksOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
  } catch {
    // Gone, or another user's.
    return [];
  }
}

function commOf(pid: string): string {
  return readLines(`/proc/${pid}/comm`)[0] ?? 'a process';
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
