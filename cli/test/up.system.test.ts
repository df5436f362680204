import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isOneSentence, run } from './run-command.ts';
import { until } from './until.ts';
import {
  alive,
  cleanUp,
  closesOf,
  connection,
  folder,
  hasPrinted,
  PORTS,
  pinned,
  place,
  ready,
  runFile,
  up,
} from './ups.ts';

after(cleanUp);

const PARTS = ['agent', 'clickhouse', 'consumer'];

test('up prints a connection as it closes; Ctrl-C leaves no process, no pin and nothing in the spool', async () => {
  const at = place();
  const running = up(at, '--json');
  const processes = await ready(at, running);
  assert.deepEqual(Object.keys(processes.parts).sort(), PARTS);

  const uidOf = (part: string): string =>
    /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${processes.parts[part]?.pid}/status`, 'utf8'))?.[1] ?? '';
  assert.notEqual(uidOf('clickhouse'), '0');
  assert.equal(uidOf('agent'), uidOf('clickhouse'));
  assert.equal(uidOf('consumer'), uidOf('clickhouse'));

  const port = await connection();
  await until('the connection to be printed', () => hasPrinted(running, port));
  const asked = await run(['query', '--json', '--url', processes.url, closesOf(port)]);
  assert.equal(asked.stdout, '{"n":1}\n');

  const says = (part: string, text: RegExp) =>
    text.test(readFileSync(join(at.home, 'log', `${part}.log`), 'utf8'));
  const write = (part: string, text: string) => writeFileSync(join(at.home, 'config', `${part}.yaml`), text);
  write('agent', 'labels: { zone: new }\n');
  write('consumer', 'batch: { flushMs: 1234 }\n');
  running.child.kill('SIGHUP');
  await until('the agent to take it', () => says('agent', /in force now: labels\.zone"/));
  await until('the consumer to tell it', () =>
    says('consumer', /takes effect at the next start: batch\.flushMs"/),
  );
  write('consumer', 'batch: { flushMs: none }\n');
  running.child.kill('SIGHUP');
  await until('the consumer to refuse it', () =>
    says('consumer', /batch\.flushMs in \S+ is .*none.*the next start would end with this/),
  );
  assert.equal(alive(processes).length, 4, 'nothing ended by it');

  running.child.kill('SIGINT');
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /stopped; [\d,]+ connections? seen\n$/);
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
  const asked = await run(['query', '--json', '--url', url, closesOf(port)]);
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

test('after kill -9 of up the kernel records on: doctor says so, stop ends it, and what it held is stored at the next start', async () => {
  const at = place();
  const first = up(at, '--quiet');
  const processes = await ready(at, first);
  process.kill(processes.supervisor.pid, 'SIGKILL');
  await until('its parts to be gone', () => alive(processes).length === 0);
  const port = await connection();
  const doctor = await run(['doctor', ...at.args]);
  assert.match(doctor.stdout, /the kernel goes on recording for the agent that comes back/);
  const stopped = await run(['stop', ...at.args]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.match(stopped.stdout, /^ended the recording that an agent left in the kernel; what it held is in /);
  assert.deepEqual(pinned(at.instance), []);
  const second = up(at, '--json');
  await ready(at, second);
  await until('the connection to be printed', () => hasPrinted(second, port));
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
  assert.match(running.stderr(), /! the agent ended \(ended by SIGKILL\); starting it again in 0.25 s/);
  const port = await connection();
  await until('the connection to be printed', () => hasPrinted(running, port));
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

test('the disabled file ends up with exit code 3 and keeps it from starting; doctor shows it', async () => {
  const at = place();
  const disabledFile = join(folder, 'disabled');
  mkdirSync(join(at.home, 'config'), { recursive: true });
  writeFileSync(join(at.home, 'config/agent.yaml'), `guest: {disabledFile: ${disabledFile}}\n`);
  const running = up(at, '--quiet');
  const before = await ready(at, running);
  writeFileSync(disabledFile, '');
  const { code, stderr } = await running.ended;
  assert.equal(code, 3);
  assert.match(
    stderr,
    /^tcptrail: the agent ended, so everything was stopped: this host is not to be recorded: .*agent\.log$/m,
  );
  assert.deepEqual(alive(before), []);
  assert.deepEqual(pinned(at.instance), []);

  const refused = await up(at).ended;
  assert.equal(refused.code, 3);
  assert.match(
    refused.stderr,
    /^tcptrail: this host is not to be recorded: .*disabled is there; remove it .*\n$/,
  );
  const doctor = await run(['doctor', '--json', ...at.args]);
  const checks = doctor.stdout.trim().split('\n');
  assert.equal(doctor.code, 0, doctor.stdout);
  assert.ok(
    checks.some((check) => check.includes(`{"name":"disabled","status":"warn","found":"${disabledFile}`)),
  );
  assert.ok(checks.some((check) => check.includes('not tried')));
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
    'state',
    'state_spare',
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
    async () => (await run(['query', '--url', url, '--json', closesOf(port)])).stdout === '{"n":1}\n',
  );
});
