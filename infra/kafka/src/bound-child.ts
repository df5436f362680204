import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { hostError } from './errors.ts';

/**
 * Starts a program that does not outlive this process: the kernel kills it when this one ends, however that happens.
 * With `atEnd` TERM it is asked to end then, so that it can take away what it made, and must do so.
 *
 * It has its own session, so Ctrl-C on the terminal reaches this process alone. Its pid is the child's.
 */
export function spawnBound(
  command: string,
  args: readonly string[],
  { atEnd = 'KILL', ...options }: SpawnOptions & { readonly atEnd?: 'KILL' | 'TERM' },
): ChildProcess {
  // This process may have ended before the kernel knew of the bond; then the shell's parent is another.
  const script = '[ "$PPID" = "$0" ] || exit 1; exec "$@"';
  const shell = ['sh', '-c', script, String(process.pid), command, ...args];
  return spawn('setpriv', ['--pdeathsig', atEnd, ...shell], { ...options, detached: true });
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Resolves when the child is gone and its output is read. Rejects when setpriv is missing. */
export function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? hostError('setpriv is missing: install util-linux') : error),
    );
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

/** What a program wrote and how it ended, for programs that end by themselves. */
export async function runBound(
  command: string,
  args: readonly string[],
): Promise<{ readonly ok: boolean; readonly output: string }> {
  const child = spawnBound(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const { code } = await endOf(child);
  return { ok: code === 0, output };
}
