/** A child process of a test: started, waited for, ended by pid, its output kept for when it fails. */
import { createInterface } from 'node:readline';
import { spawnBound } from '@tcptrail/local-kafka/bound-child.ts';

export interface Part {
  readonly pid: number;
  /** Everything it wrote to stderr, and lines of stdout. */
  output(): string;
  /** The first line of stdout, or an error with the output when it ends before. */
  readonly firstLine: Promise<string>;
  /** Resolves when its output holds the text; rejects with the output when it ends before. */
  said(text: string): Promise<void>;
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<number | string>;
}

export function startPart(args: readonly string[], env: NodeJS.ProcessEnv = {}): Part {
  const child = spawnBound(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    atEnd: 'TERM',
  });
  const text: string[] = [];
  const listeners = new Set<() => void>();
  child.stderr?.on('data', (chunk: Buffer) => {
    text.push(chunk.toString());
    for (const listener of listeners) listener();
  });
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
    said(wanted) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          if (!text.join('').includes(wanted)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void exited.then((code) =>
          reject(new Error(`${args.join(' ')} ended with ${code}:\n${text.join('')}`)),
        );
      });
    },
    async end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return await exited;
    },
  };
}
