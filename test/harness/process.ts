/** A child process of a test: started, waited for, ended by pid, its output kept for when it fails. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Part {
  readonly pid: number;
  /** Everything it wrote to stderr, and lines of stdout. */
  output(): string;
  /** The first line of stdout, or an error with the output when it ends before. */
  readonly firstLine: Promise<string>;
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<number | string>;
}

export function startPart(args: readonly string[], env: NodeJS.ProcessEnv = {}): Part {
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => text.push(chunk.toString()));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const firstLine = new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      text.push(`${line}\n`);
      resolve(line);
    });
    void exited.then((code) => reject(new Error(`${args.join(' ')} ended with ${code}:\n${text.join('')}`)));
  });
  firstLine.catch(() => {});
  return {
    pid: child.pid ?? 0,
    output: () => text.join(''),
    firstLine,
    exited,
    async end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return await exited;
    },
  };
}
