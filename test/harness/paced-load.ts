/** Connections at a steady rate from a C program, built on first use. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SOURCE = join(import.meta.dirname, '../load/paced.c');
const run = promisify(execFile);

export interface PacedLoad {
  /** Both ends of every connection are this process's. */
  readonly pid: number;
  readonly connections: number;
  readonly seconds: number;
}

/** A network of its own: there is room for all that wait for a minute after their end. */
const IN_NAMESPACE =
  'ip link set lo up && echo 1000000 > /proc/sys/net/ipv4/tcp_max_tw_buckets && exec "$0" "$@"';

/** Rejects when the compiler is missing or a connection failed. `ownNetwork`: in a namespace that ends with it. */
export async function runPacedLoad(options: {
  count: number;
  perSecond: number;
  ownNetwork?: boolean;
}): Promise<PacedLoad> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-load-'));
  const program = join(folder, 'paced');
  try {
    await run('gcc', ['-O2', '-Wall', '-Werror', '-o', program, SOURCE, '-lpthread']);
    const command = [program, String(options.count), String(options.perSecond)];
    const [name = '', ...args] = options.ownNetwork
      ? ['unshare', '--net', 'sh', '-c', IN_NAMESPACE, ...command]
      : command;
    const { stdout } = await run(name, args);
    return JSON.parse(stdout) as PacedLoad;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
