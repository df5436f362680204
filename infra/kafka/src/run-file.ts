import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startError } from './errors.ts';
import { isAlive, nameOf, type ProcessName } from './process-name.ts';

/** Who runs on a data folder; `running.json` in it. */
export interface Run {
  readonly main: ProcessName;
  /** Known once Kafka was started. */
  readonly java?: ProcessName;
  readonly host?: string;
  readonly port?: number;
}

export interface Claim {
  update(run: Omit<Run, 'main'>): void;
  release(): void;
}

const END_MS_MAX = 10_000;

/** The living process that holds `dataDir`, if one does. */
export function readRun(dataDir: string): Run | undefined {
  const run = parse(fileOf(dataDir));
  return run && isAlive(run.main) ? run : undefined;
}

/**
 * Makes `dataDir`, where needed, and this process its holder, until `release`. Throws when another one holds it.
 *
 * A java whose parent was killed may still be ending: it is waited for, as it has the folder's lock and the port.
 */
export async function claim(dataDir: string): Promise<Claim> {
  mkdirSync(dataDir, { recursive: true });
  const file = fileOf(dataDir);
  const main = nameOf(process.pid);
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ main }));
  try {
    // link() makes the name appear with its content or not at all.
    linkSync(mine, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = readRun(dataDir);
    if (holder)
      throw startError(
        `data folder ${dataDir} belongs to the local Kafka with pid ${holder.main.pid}: stop it, or choose another --data folder`,
      );
    await end(parse(file)?.java, dataDir);
    renameSync(mine, file);
  } finally {
    rmSync(mine, { force: true });
  }
  return {
    update(run) {
      writeFileSync(mine, JSON.stringify({ main, ...run }));
      renameSync(mine, file);
    },
    release: () => rmSync(file, { force: true }),
  };
}

async function end(java: ProcessName | undefined, dataDir: string): Promise<void> {
  const deadline = performance.now() + END_MS_MAX;
  while (java && isAlive(java)) {
    if (performance.now() > deadline)
      throw startError(
        `java with pid ${java.pid} does not end and holds ${dataDir}: end it, then start again`,
      );
    await delay(10);
  }
}

const fileOf = (dataDir: string): string => join(dataDir, 'running.json');

function parse(file: string): Run | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Run;
  } catch {
    return undefined;
  }
}
