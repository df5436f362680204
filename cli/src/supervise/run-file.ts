/** The file that tells `stop`, `doctor` and `uninstall` what runs: `/run/tcptrail/<instance>.json`. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { cliError, reasonOf } from '../errors.ts';
import type { Places } from './places.ts';
import { isAlive, nameOf, type ProcessName } from './process-info.ts';
import type { Route } from './route.ts';

export interface RunFile {
  readonly supervisor: ProcessName;
  /** Address of ClickHouse, '' until it answers. */
  readonly url: string;
  /** How batches go to the consumer. */
  readonly route: Route;
  readonly parts: Readonly<Record<string, ProcessName>>;
  /** Ports of /healthz; 0 where there is none, or any. Absent from an older supervisor. */
  readonly metrics?: { readonly agent: number; readonly consumer: number };
  /** µs since the epoch. */
  readonly started: number;
}

export interface RunLock {
  write(state: Omit<RunFile, 'supervisor' | 'started'>): void;
  release(): Promise<void>;
}

/**
 * Takes the instance for this process, or throws CLI_ALREADY_RUNS.
 *
 * The lock is a socket in the abstract namespace named after the run folder: the kernel takes it back whatever
 * ends the process, so a stale file never blocks a start.
 */
export async function takeRunLock(places: Places): Promise<RunLock> {
  try {
    mkdirSync(places.run, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw cliError('CLI_FOLDER_UNUSABLE', [places.run, reasonOf(error)], { cause: error });
  }
  const { dev, ino } = statSync(places.run);
  const holder = await hold(`\0tcptrail-up-${dev}-${ino}-${places.instance}`);
  const running = readRunFile(places);
  if (!holder || running) {
    holder?.close();
    throw cliError('CLI_ALREADY_RUNS', [places.name, String(running?.supervisor.pid ?? 'unknown')]);
  }
  const supervisor = nameOf(process.pid);
  const started = Date.now() * 1_000;
  return {
    write(state) {
      const text = `${JSON.stringify({ supervisor, started, ...state })}\n`;
      writeFileSync(`${places.runFile}.new`, text, { mode: 0o644 });
      renameSync(`${places.runFile}.new`, places.runFile);
    },
    async release() {
      rmSync(places.runFile, { force: true });
      await new Promise((done) => holder.close(done));
    },
  };
}

/** What runs now; undefined when nothing does, whatever file was left behind. */
export function readRunFile(places: Places): RunFile | undefined {
  try {
    // A supervisor that is older than this command does not tell its route.
    const told = JSON.parse(readFileSync(places.runFile, 'utf8')) as RunFile;
    const run = { ...told, route: told.route ?? { kind: 'spool' } };
    return isAlive(run.supervisor) ? run : undefined;
  } catch {
    return undefined;
  }
}

async function hold(name: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(name, () => {
      server.unref();
      resolve(server);
    });
  });
}
