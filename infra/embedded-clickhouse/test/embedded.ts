import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';

const MAIN = join(import.meta.dirname, '../src/main.ts');

export interface Embedded {
  readonly process: ChildProcess;
  readonly url: string;
  readonly port: number;
  /** Sends one request; `query` are URL parameters. */
  ask(query: Record<string, string>, init?: RequestInit): Promise<Response>;
  /** Text of the answer to `statement`, sent as the body. Throws with the answer's text when it is an error. */
  sql(statement: string, query?: Record<string, string>): Promise<string>;
}

/** A folder that goes when the test file ends, after its servers. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-clickhouse-'));
  process.once('exit', () =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }),
  );
  return folder;
}

export function spawnServer(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  after(async () => {
    if (child.kill('SIGKILL')) await once(child, 'exit');
  });
  return child;
}

/** Status and stderr of a server that is expected to end by itself. */
export async function runToEnd(
  args: readonly string[],
): Promise<{ readonly status: number; readonly stderr: string }> {
  const child = spawnServer(args);
  let stderr = '';
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  const [status] = await once(child, 'close');
  return { status, stderr };
}

/** A server of this test's own, ready to answer. */
export async function startEmbedded(
  given: { readonly folder?: string; readonly port?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Embedded> {
  const folder = given.folder ?? temporaryFolder();
  const child = spawnServer(['--data', folder, '--port', String(given.port ?? 0)], given.env);
  let stderr = '';
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  if (child.stdout === null) throw new Error('no stdout');
  const port = await new Promise<number>((ready, failed) => {
    if (child.stdout !== null)
      createInterface(child.stdout).once('line', (line) => ready(JSON.parse(line).port));
    child.once('exit', (code) => failed(new Error(`server ended with ${code}: ${stderr}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  const ask = (query: Record<string, string>, init?: RequestInit): Promise<Response> =>
    fetch(`${url}/?${new URLSearchParams(query)}`, init);
  return {
    process: child,
    url,
    port,
    ask,
    async sql(statement, query = {}) {
      const response = await ask(query, { method: 'POST', body: statement });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return text.trimEnd();
    },
  };
}

/** Asks again until `holds`; after half a minute in vain it throws what it saw last. */
export async function eventually<T>(ask: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (performance.now() > deadline) throw new Error(`waited in vain; last seen: ${String(value)}`);
  }
}
