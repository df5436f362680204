/** A C program of test/load, built on first use, in a network namespace of its own that ends with it. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const SOURCES = join(import.meta.dirname, '../../load');
/**
 * The namespace starts with no TIME_WAIT sockets, and has room for all: beyond the limit the kernel takes a shorter
 * way. The program keeps the pid of the shell.
 */
const IN_NAMESPACE =
  'ip link set lo up && echo 1000000 > /proc/sys/net/ipv4/tcp_max_tw_buckets && echo 1024 65000 > /proc/sys/net/ipv4/ip_local_port_range && exec "$0" "$@"';

export interface Load {
  readonly pid: number;
  /** Inode number: no other socket of the machine is in it. */
  readonly networkNamespace: number;
  /** Sends a line, resolves with the line it answers. Rejects when the program ends first. */
  ask(line: string): Promise<string>;
  end(): Promise<void>;
}

export interface LoadProgram {
  start(count: number): Promise<Load>;
  remove(): void;
}

/** Rejects when there is no compiler. */
export async function buildLoad(name: 'short' | 'held'): Promise<LoadProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-load-'));
  const program = join(folder, name);
  await promisify(execFile)('gcc', [
    ...['-O2', '-Wall', '-Werror', '-o', program],
    join(SOURCES, `${name}.c`),
    '-lpthread',
  ]);
  return {
    start: (count) => startLoad(program, count),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function startLoad(program: string, count: number): Promise<Load> {
  const child = spawn('unshare', ['--net', 'sh', '-c', IN_NAMESPACE, program, String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function answer(): Promise<string> {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${program} ended before it was done`);
    return value;
  }
  await answer();
  const pid = child.pid ?? 0;
  return {
    pid,
    networkNamespace: Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0]),
    ask(line) {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    async end() {
      child.stdin.end();
      await exited;
    },
  };
}
