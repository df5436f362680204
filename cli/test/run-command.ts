/** `bin/tcptrail` as a process, for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export const TCPTRAIL = join(import.meta.dirname, '../../bin/tcptrail');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<Ended>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Command in front, for instance setpriv. */
  readonly as?: readonly string[];
}

/** Starts it without the terminal's and the shell's tcptrail settings. */
export function start(args: readonly string[], options: RunOptions = {}): Running {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('TCPTRAIL_') && name !== 'YES',
  );
  const [command = TCPTRAIL, ...rest] = [...(options.as ?? []), TCPTRAIL, ...args];
  const child = spawn(command, rest, {
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, pid: child.pid ?? 0, stdout: () => stdout, stderr: () => stderr, ended };
}

export const run = (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  start(args, options).ended;

/** One sentence on stderr, no stack. */
export const isOneSentence = (text: string): boolean =>
  /^tcptrail: [^\n]+\n$/.test(text) && !/\n\s+at /.test(text);
