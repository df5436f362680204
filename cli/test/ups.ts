/** `tcptrail up` in folders and instances of a test's own. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, type ProcessName } from '../src/supervise/process-info.ts';
import type { RunFile } from '../src/supervise/run-file.ts';
import { type Running, run, start } from './run-command.ts';
import { until } from './until.ts';

/** Of this process; `cleanUp` removes it. */
export const folder = mkdtempSync(join(tmpdir(), 'tcptrail-up-'));
const started: Running[] = [];
// The user of ClickHouse and the consumer must get in.
chmodSync(folder, 0o755);
const used: Place[] = [];

export interface Place {
  readonly home: string;
  readonly instance: string;
  readonly args: readonly string[];
}

export function place(parent = folder): Place {
  const instance = `up-${process.pid}-${used.length + 1}`;
  const home = join(parent, instance);
  const made = { home, instance, args: ['--home', home, '--instance', instance] };
  used.push(made);
  return made;
}

export const PORTS = ['--port', '0', '--agent-metrics-port', '0', '--consumer-metrics-port', '0'];

export function up(at: Place, ...args: readonly string[]): Running {
  const running = start(['up', ...at.args, ...PORTS, ...args]);
  started.push(running);
  return running;
}

export const runFile = (at: Place): RunFile =>
  JSON.parse(readFileSync(join(at.home, 'run', `${at.instance}.json`), 'utf8')) as RunFile;
const isUp = (running: Running): boolean => running.stderr().includes('Ctrl-C');
export async function ready(at: Place, running: Running): Promise<RunFile> {
  await until('up to be ready', () => {
    if (running.child.exitCode !== null) throw new Error(running.stderr());
    return isUp(running);
  });
  return runFile(at);
}

/** One connection of this process to itself; gives its client port. */
export async function connection(): Promise<number> {
  const server = createServer((socket) => socket.end('hello'));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  await new Promise<void>((connected) => client.once('connect', connected));
  const local = client.localPort ?? 0;
  client.resume();
  await new Promise((closed) => client.once('close', closed));
  await new Promise((closed) => server.close(closed));
  return local;
}

/** Of this process: the whole host is recorded, and another network namespace may use the same port. */
export const hasPrinted = (running: Running, port: number | undefined): boolean =>
  running
    .stdout()
    .split('\n')
    .some((line) => line.includes(`"local_port":${port},`) && line.includes(`"pid":${process.pid},`));
/** Counts as `n` the ends that were told of a connection of this process. */
export const closesOf = (port: number): string =>
  `SELECT count() AS n FROM tcp_events WHERE local_port = ${port} AND kind = 'close' AND pid = ${process.pid}`;

export const pinned = (instance: string): readonly string[] =>
  existsSync(`/sys/fs/bpf/tcptrail/${instance}`) ? readdirSync(`/sys/fs/bpf/tcptrail/${instance}`) : [];
export const alive = (run: RunFile): readonly ProcessName[] =>
  [run.supervisor, ...Object.values(run.parts)].filter(isAlive);

export async function cleanUp(): Promise<void> {
  for (const running of started) {
    if (running.child.exitCode === null && running.child.signalCode === null) running.child.kill('SIGTERM');
    await running.ended;
  }
  for (const { args } of used) await run(['uninstall', '--yes', ...args]);
  rmSync(folder, { recursive: true, force: true });
}
