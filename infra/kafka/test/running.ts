/** main.ts as a process of a test: ready with an address, or run to its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { type Admin, Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import type { Address } from '../src/kafka.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');

/** A folder that goes when the test file ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'local-kafka-'));
  process.once('exit', () =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }),
  );
  return folder;
}

function spawnMain(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  after(async () => {
    if (child.kill('SIGTERM')) await once(child, 'exit');
  });
  return child;
}

export interface Result {
  readonly status: number;
  /** What it says itself; Kafka's own lines left out. */
  readonly said: string;
}

export async function runToEnd(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Result> {
  return await resultOf(spawnMain(args, env));
}

export interface Running extends Address {
  /** main.ts; `pid` is java's. */
  readonly main: ChildProcess;
  readonly result: Promise<Result>;
}

export async function startMain(args: readonly string[]): Promise<Running> {
  const main = spawnMain(args);
  const result = resultOf(main);
  const line = await new Promise<string>((ready, failed) => {
    if (main.stdout) createInterface(main.stdout).once('line', ready);
    void result.then(({ status, said }) => failed(new Error(`ended with ${status}: ${said}`)));
  });
  return { ...(JSON.parse(line) as Address), main, result };
}

async function resultOf(child: ChildProcess): Promise<Result> {
  let stderr = '';
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  const [status] = await once(child, 'close');
  return { status, said: stderr.replaceAll(/^(?!local-kafka: ).*\n/gm, '') };
}

/** A client that gives up at once, and says nothing. */
export function createClient({ host, port }: Address, more: Partial<KafkaConfig> = {}): Kafka {
  const retry = { retries: 0 };
  return new Kafka({ brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING, retry, ...more });
}

export async function withAdmin<T>(kafka: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Asks again until it does not throw; after half a minute in vain it throws what it threw last. */
export async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
