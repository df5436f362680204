import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isAlive, type ProcessName } from '../src/supervise/process-info.ts';
import type { RunFile } from '../src/supervise/run-file.ts';
import { isOneSentence, type Running, run, start } from './run-command.ts';
import { until } from './until.ts';

const PARTS = ['agent', 'clickhouse', 'consumer'];
const folder = mkdtempSync(join(tmpdir(), 'tcptrail-up-'));
const started: Running[] = [];
// The user of ClickHouse and the consumer must get in.
chmodSync(folder, 0o755);
const used: Place[] = [];

interface Place {
  readonly home: string;
  readonly instance: string;
  readonly args: readonly string[];
}

function place(parent = folder): Place {
  const instance = `up-${process.pid}-${used.length + 1}`;
  const home = join(parent, instance);
  const made = { home, instance, args: ['--home', home, '--instance', instance] };
  used.push(made);
  return made;
}

const PORTS = ['--port', '0', '--agent-metrics-port', '0', '--consumer-metrics-port', '0'];

function up(at: Place, ...args: readonly string[]): Running {
  const running = start(['up', ...at.args, ...PORTS, ...args]);
  started.push(running);
  return running;
}

const runFile = (at: Place): RunFile =>
  JSON.parse(readFileSync(join(at.home, 'run', `${at.instance}.json`), 'utf8')) as RunFile;
const isUp = (running: Running): boolean => running.stderr().includes('Ctrl-C');
async function ready(at: Place, running: Running): Promise<RunFile> {
  await until('up to be ready', () => {
    if (running.child.exitCode !== null) throw new Error(running.stderr());
    return isUp(running);
  });
  return runFile(at);
}

/** One connection of this process to itself; gives its client port. */
async function connection(): Promise<number> {
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

const pinned = (instance: string): readonly string[] =>
  existsSync(`/sys/fs/bpf/tcptrail/${instance}`) ? readdirSync(`/sys/fs/bpf/tcptrail/${instance}`) : [];
const alive = (run: RunFile): readonly ProcessName[] =>
  [run.supervisor, ...Object.values(run.parts)].filter(isAlive);

after(async () => {
  for (const running of started) {
    if (running.child.exitCode === null && running.child.signalCode === null) running.child.kill('SIGTERM');
    await running.ended;
  }
  for (const { args } of used) await run(['uninstall', '--yes', ...args]);
  rmSync(folder, { recursive: true, force: true });
});

test('up prints a connection as it closes; Ctrl-C leaves no process, no pin and nothing in the spool', async () => {
  const at = place();
  const running = up(at, '--json');
  const processes = await ready(at, running);
  assert.deepEqual(Object.keys(processes.parts).sort(), PARTS);

  const uidOf = (part: string): string =>
    /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${processes.parts[part]?.pid}/status`, 'utf8'))?.[1] ?? '';
  assert.equal(uidOf('agent'), '0');
  assert.notEqual(uidOf('clickhouse'), '0');
  assert.equal(uidOf('consumer'), uidOf('clickhouse'));

  const port = await connection();
  await until('the connection to be printed', () => running.stdout().includes(`"local_port":${port},`));
  const asked = await run([
    'query',
    '--json',
    '--url',
    processes.url,
    `SELECT count() AS n FROM tcp_events WHERE local_port = ${port} AND kind = 'close'`,
  ]);
  assert.equal(asked.stdout, '{"n":1}\n');

  running.child.kill('SIGINT');
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /stopped; \d+ connections? seen\n$/);
  assert.doesNotMatch(ended.stderr, /wait in/);
  assert.deepEqual(alive(processes), []);
  assert.deepEqual(pinned(at.instance), []);
});

test('what was recorded is still there after a second start', async () => {
  const at = place();
  const first = up(at, '--quiet');
  await ready(at, first);
  const port = await connection();
  first.child.kill('SIGTERM');
  assert.equal((await first.ended).code, 0);
  const second = up(at, '--quiet');
  const { url } = await ready(at, second);
  const asked = await run([
    'query',
    '--json',
    '--url',
    url,
    `SELECT count() AS n FROM tcp_events WHERE local_port = ${port} AND kind = 'close'`,
  ]);
  assert.equal(asked.stdout, '{"n":1}\n');
  const stopped = await run(['stop', ...at.args]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.equal(stopped.stdout, `stopped (pid ${second.pid})\n`);
  assert.equal((await second.ended).code, 0);
});

test('kill -9 of up leaves no children, and the next start needs no help', async () => {
  const at = place();
  const first = up(at, '--quiet');
  const processes = await ready(at, first);
  process.kill(processes.supervisor.pid, 'SIGKILL');
  const second = up(at, '--quiet');
  await ready(at, second);
  assert.deepEqual(alive(processes), []);
});

test('a part that is killed is started again, and recording goes on', async () => {
  const at = place();
  const running = up(at, '--json');
  const before = await ready(at, running);
  for (const part of PARTS) {
    process.kill(before.parts[part]?.pid ?? 0, 'SIGKILL');
    await until(
      `${part} to run again`,
      () => running.stderr().match(/runs again/g)?.length === PARTS.indexOf(part) + 1,
    );
  }
  assert.match(running.stderr(), /! the agent ended \(ended by SIGKILL\); starting it again/);
  const port = await connection();
  await until('the connection to be printed', () => running.stdout().includes(`"local_port":${port},`));
  assert.equal(runFile(at).url, before.url);
});

test('a second up for the same home is one sentence with exit code 1 and disturbs nothing', async () => {
  const at = place();
  const first = up(at, '--quiet');
  const processes = await ready(at, first);
  const second = await run(['up', ...at.args, ...PORTS]);
  assert.equal(second.code, 1);
  assert.ok(isOneSentence(second.stderr), second.stderr);
  assert.match(second.stderr, new RegExp(`already runs .*pid ${first.pid}.*tcptrail stop`));
  assert.equal(alive(processes).length, 4);
});

test('a taken port is one sentence that names the holder, exit code 1', async () => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const ended = await run(['up', ...place().args, '--port', String(port)]);
  server.close();
  assert.equal(ended.code, 1);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  assert.match(
    ended.stderr,
    new RegExp(`port 127\\.0\\.0\\.1:${port} is taken by .*pid ${process.pid}.*--port`),
  );
});

test('an unknown configuration key ends up with its name and exit code 2, and nothing keeps running', async () => {
  const at = place();
  const first = up(at, '--quiet');
  await ready(at, first);
  first.child.kill('SIGTERM');
  await first.ended;
  writeFileSync(join(at.home, 'config', 'agent.yaml'), 'spol:\n  path: /tmp\n');
  const ended = await run(['up', ...at.args, ...PORTS]);
  assert.equal(ended.code, 2);
  assert.match(ended.stderr, /^tcptrail: the agent did not start: unknown key spol .*agent\.log$/m);
  assert.doesNotMatch(ended.stderr, /\n\s+at /);
  assert.equal(existsSync(join(at.home, 'run', `${at.instance}.json`)), false);
});

test('a home that holds other files is refused with exit code 2 and left as it was', async () => {
  const at = place();
  const other = mkdtempSync(join(folder, 'other-'));
  writeFileSync(join(other, 'mine.txt'), 'mine');
  const ended = await run(['up', '--home', other, '--instance', at.instance]);
  assert.equal(ended.code, 2);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  const removed = await run(['uninstall', '--yes', '--home', other, '--instance', at.instance]);
  assert.equal(removed.code, 0, removed.stderr);
  assert.equal(readFileSync(join(other, 'mine.txt'), 'utf8'), 'mine');
});

test('a reader of its output that goes away ends up in good order', async () => {
  const at = place();
  const running = up(at, '--json');
  const processes = await ready(at, running);
  running.child.stdout?.destroy();
  await connection();
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /stopped; /);
  assert.deepEqual(alive(processes), []);
});

test('where the unprivileged user cannot get in, up says so and goes on as root', async () => {
  const closed = join(folder, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  const at = place(closed);
  const running = up(at, '--quiet');
  await ready(at, running);
  assert.match(
    running.stderr(),
    /^! user tcptrail cannot enter .*closed\/up-\S+, so .* run as root; give a --home/m,
  );
  running.child.kill('SIGTERM');
  assert.equal((await running.ended).code, 0);
});

test('uninstall stops what runs and leaves nothing; without a terminal it wants --yes', async () => {
  const at = place();
  const running = up(at, '--quiet');
  const processes = await ready(at, running);
  const refused = await run(['uninstall', ...at.args]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /without a terminal give --yes/);
  assert.equal(alive(processes).length, 4);
  const removed = await run(['uninstall', ...at.args], { env: { YES: '1' } });
  assert.equal(removed.code, 0, removed.stderr);
  assert.match(removed.stdout, new RegExp(`stopped tcptrail \\(pid ${running.pid}\\)`));
  assert.match(removed.stdout, new RegExp(`removed ${at.home}\n`));
  assert.equal(existsSync(at.home), false);
  assert.equal((await running.ended).code, 0);
  assert.deepEqual(alive(processes), []);
});

test('doctor finds a running host well, each program by name', async () => {
  const at = place();
  const running = up(at, '--quiet');
  const { url } = await ready(at, running);
  const ended = await run(['doctor', ...at.args, '--json']);
  const checks = ended.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; status: string; found: string });
  assert.deepEqual(
    checks.filter((check) => check.status === 'fail'),
    [],
  );
  assert.equal(ended.code, 0);
  for (const name of [
    'BTF',
    'privileges',
    'state_process',
    'state_softirq',
    'ClickHouse',
    'schema',
    'spool',
    'completeness',
  ])
    assert.ok(
      checks.some((check) => check.name === name),
      name,
    );
  // The agent beside it still records.
  const port = await connection();
  await until(
    'the connection to be stored',
    async () =>
      (
        await run([
          'query',
          '--url',
          url,
          '--json',
          `SELECT 1 AS x FROM tcp_events WHERE local_port = ${port} AND kind = 'close'`,
        ])
      ).stdout !== '',
  );
});
