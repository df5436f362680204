/** An embedded ClickHouse that is killed at a rename of a part, or at any moment, and started again on its folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { type Part, startPart } from '../../harness/process.ts';

const SERVER = join(import.meta.dirname, '../../../infra/embedded-clickhouse/src/main.ts');
const SHIM = join(import.meta.dirname, 'kill-at-rename.c');

export interface StoreServer {
  /** The same as long as it lives. */
  readonly url: string;
  readonly client: ClickHouseClient;
  /** Arms the kill; it happens at the n-th part from now on, from 1. */
  killAtRename(nth: number, when: 'before' | 'after'): void;
  /** The armed kill has not happened. */
  readonly isArmed: boolean;
  disarm(): void;
  readonly pid: number;
  readonly exited: Promise<number | string>;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Throws with what gcc or the server wrote. */
export async function startStoreServer(): Promise<StoreServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-store-'));
  const [library, order] = [join(folder, 'kill-at-rename.so'), join(folder, 'order')];
  execFileSync('gcc', ['-O1', '-Wall', '-Werror', '-shared', '-fPIC', '-o', library, SHIM, '-ldl']);
  const env = { LD_PRELOAD: library, TCPTRAIL_RENAME_KILL: order };
  let part: Part;
  let port = 0;
  let orders = 0;
  async function start(): Promise<void> {
    part = startPart([SERVER, '--data', join(folder, 'data'), '--port', String(port)], env);
    ({ port } = JSON.parse(await part.firstLine) as { port: number });
  }
  await start();
  const url = `http://127.0.0.1:${port}`;
  const client = createClient({ url, log: { level: ClickHouseLogLevel.OFF } });
  return {
    url,
    client,
    killAtRename: (nth, when) => writeFileSync(order, `${nth} ${when === 'after' ? 1 : 0} ${++orders}`),
    get isArmed() {
      return existsSync(order);
    },
    disarm: () => rmSync(order, { force: true }),
    get pid() {
      return part.pid;
    },
    get exited() {
      return part.exited;
    },
    async kill() {
      await part.end('SIGKILL');
    },
    start,
    async stop() {
      await client.close();
      await part.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
