import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { keysOf } from '@tcptrail/config/keys.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import { AGENT_CONFIG } from '../src/config.ts';
import { createTakers, type TakerDeps } from '../src/takers.ts';
import { until } from './support/agent-process.ts';
import { converse, echoServer } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';
import { ownerOf, type Row, reloading, rowsOf } from './support/reloading.ts';
import { portsOf, totalOf } from './support/spooled-rows.ts';
import { createNetwork } from './trace/support/network.ts';
import { python } from './trace/support/python.ts';

/** Far from now: what bears it does not happen while a test runs. */
const NEVER_MS = 600_000;
/** The longest that is taken. */
const HEARTBEAT_MS = 20_000;
/** TEST-NET-3, on the loopback of a network namespace. */
const EXTERNAL = '203.0.113.9';
const UID = 65_534;

const proven = new Set<string>();
after(() => {
  const live = keysOf(AGENT_CONFIG).flatMap(({ name, isLive }) => (isLive ? [name] : []));
  assert.deepEqual([...proven].sort(), live.sort(), 'each live key has its proof here');
});
const proves = (...keys: readonly string[]): void => {
  for (const key of keys) proven.add(key);
};

test('each key that is live is in force after SIGHUP', needsRoot, async (t) => {
  const network = createNetwork();
  t.after(network.remove);
  execFileSync('ip', ['-n', network.here, 'addr', 'add', `${EXTERNAL}/32`, 'dev', 'lo']);
  const running = await reloading(t, {
    events: { openHoldMs: 3_600_000, updateMs: 86_400_000, retransmitsPerSecond: 1, scanMs: NEVER_MS },
    batch: { rowsMax: 10_000, bytesMax: 8_388_608, flushMs: 60_000, heartbeatMs: HEARTBEAT_MS },
    fold: { windowMs: HEARTBEAT_MS },
    guest: { memoryBytesMax: 0, cpuPercentMax: 0, checkMs: 3_600_000, quietMs: 86_400_000 },
    publish: { enabled: true, stopWaitMsMax: NEVER_MS },
    kafka: { brokers: ['127.0.0.1:1'] },
  });
  const { agent, home, change, since, all } = running;
  const echo = await echoServer(t, '127.0.0.1');
  const closed = (port: number) => portsOf(since(), 'close', 'client', echo.port).includes(port);
  const burst = async (count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, () => converse('127.0.0.1', echo.port)));
  };

  await t.test('batch: when it is closed', async () => {
    await change({ batch: { flushMs: 20 } });
    const port = await converse('127.0.0.1', echo.port);
    await until('a batch that is closed by time', () => closed(port));
    proves('batch.flushMs');

    await change({ batch: { rowsMax: 3 } });
    await burst(30);
    await until('the rows', () => portsOf(since(), 'close', 'client', echo.port).length >= 30);
    assert.ok(since().every(({ events }) => events.length <= 3));
    proves('batch.rowsMax');

    await change({ batch: { rowsMax: 10_000, bytesMax: 16_384, flushMs: 60_000 } });
    await burst(300);
    await until('a batch that is closed by bytes', () => since().some(({ events }) => events.length > 3));
    proves('batch.bytesMax');

    await change({ batch: { bytesMax: 900_000, flushMs: 20, heartbeatMs: 100 } });
    await until('heartbeats', () => since().filter(({ health }) => health !== null).length >= 3);
    proves('batch.heartbeatMs');
  });

  await t.test('events: what is told of a connection', async () => {
    const hold = async (): Promise<Socket> => {
      const socket = connect(echo.port, '127.0.0.1');
      await new Promise((connected) => socket.once('connect', connected));
      t.after(() => socket.destroy());
      return socket;
    };
    // This end of the connection sends; the other one is silent.
    const silent = python(`l = listener(); say(l.getsockname()[1]); c, _ = l.accept(); hear()`);
    t.after(silent.kill);
    const quietPort = await silent.line<number>();
    const quiet = connect(quietPort, '127.0.0.1');
    t.after(() => quiet.destroy());
    await new Promise((connected) => quiet.once('connect', connected));
    await hold();
    const told = (kind: string, port: number) =>
      rowsOf(since()).some((row) => row['kind'] === kind && row['local_port'] === port);

    await change({ events: { openHoldMs: 1 } });
    quiet.write('x');
    await until('an open by the next byte', () => told('open', quiet.localPort ?? 0));
    proves('events.openHoldMs');

    const idle = await hold();
    await change({ events: { scanMs: 100 } });
    await until('an open of an idle connection', () => told('open', idle.localPort ?? 0));
    proves('events.scanMs');

    await change({ events: { updateMs: 100 } });
    await until('an update', () => {
      quiet.write('x');
      return told('update', quiet.localPort ?? 0);
    });
    proves('events.updateMs');

    await change({ events: { retransmitsPerSecond: 0, updateMs: 0 } });
    const lost = python(
      `l = listener(); c = socket.create_connection(l.getsockname()); s, _ = l.accept(); say(c.getsockname()[1]); hear(); c.send(b'x'); hear()`,
      { namespace: network.there },
    );
    t.after(lost.kill);
    const port = await lost.line<number>();
    network.rules(network.there, 'input', [`tcp sport ${port} drop`]);
    lost.tell('send');
    const retransmits = () =>
      rowsOf(since()).filter((row) => row['kind'] === 'retransmit' && row['local_port'] === port);
    // The third comes within the second of the first two.
    await until('three retransmits', () => retransmits().length >= 3);
    // What is told may be one ahead of the counter.
    assert.ok(retransmits().length >= Number(retransmits().at(-1)?.['total_retrans']));
    proves('events.retransmitsPerSecond');
  });

  await t.test('labels: of every batch', async () => {
    const names = ['account', 'region', 'zone', 'team', 'service', 'environment'];
    const labels = Object.fromEntries(names.map((name) => [name, `of the ${name}`]));
    await change({ labels });
    await until('a batch', () => since().length > 0);
    assert.deepEqual(since().at(-1)?.['labels'], labels);
    proves(...names.map((name) => `labels.${name}`));
  });

  /** Owner and addresses of the client end of a new connection of user UID to EXTERNAL. */
  async function foreign(): Promise<{ readonly peer: string; readonly local: string; readonly row: Row }> {
    const script = python(
      `os.setgid(${UID}); os.setuid(${UID}); l = listener('${EXTERNAL}'); c = socket.socket(); c.connect(l.getsockname()); s, _ = l.accept(); say(c.getsockname()[1]); c.close(); s.close(); hear()`,
      { namespace: network.here },
    );
    t.after(script.kill);
    const port = await script.line<number>();
    const found = () =>
      rowsOf(since()).find(
        (row) =>
          row['kind'] === 'close' &&
          row['role'] === 'client' &&
          row['local_port'] === port &&
          ownerOf(row)['pid'] === script.pid,
      );
    await until('the close', () => found() !== undefined, agent.stderr);
    const row = found() ?? {};
    const hex = (field: string) => Buffer.from(row[field] as Uint8Array).toString('hex');
    return { peer: hex('peer_address'), local: hex('local_address'), row };
  }
  const RAW = `00000000000000000000ffff${Buffer.from([203, 0, 113, 9]).toString('hex')}`;

  await t.test('process: what is recorded of a command line', async () => {
    const before = await foreign();
    assert.equal(ownerOf(before.row)['command_line'], '');
    assert.deepEqual([before.peer, ownerOf(before.row)['uid']], [RAW, UID]);
    await change({ process: { commandLine: true } });
    assert.match(String(ownerOf((await foreign()).row)['command_line']), /^\S*python3 -c .*c\.connect/s);
    // This process was known before.
    const port = await converse('127.0.0.1', echo.port);
    const own = () =>
      rowsOf(since()).find(
        (row) =>
          row['local_port'] === port && ownerOf(row)['pid'] === process.pid && row['role'] === 'client',
      );
    await until('a row of this process', () => own() !== undefined);
    assert.match(String(ownerOf(own() ?? {})['command_line']), /reload\.system\.test/);
    proves('process.commandLine');
    await change({ process: { redact: ['c[.](connect)'] } });
    assert.match(String(ownerOf((await foreign()).row)['command_line']), / c\.\(redacted\)\(/);
    proves('process.redact');
  });

  await t.test('privacy: what is hidden, and under which key', async () => {
    const keyFile = join(home.spoolPath, '../key');
    writeFileSync(keyFile, 'the first key of the test\n', { mode: 0o600 });
    const key = 'the first key of the test';
    await change({ process: { commandLine: false }, privacy: { uid: 'hash', peers: 'hash', key } });
    const first = await foreign();
    assert.match(first.peer, /^0100000000000000/);
    assert.equal(first.local, first.peer);
    assert.ok(Number(ownerOf(first.row)['uid']) >= 2 ** 31);
    assert.equal(first.row['socket_uid'], ownerOf(first.row)['uid']);
    proves('privacy.uid', 'privacy.peers');
    await change({ privacy: { key: 'the second key of the test' } });
    assert.notEqual((await foreign()).peer, first.peer);
    proves('privacy.key');
    await change({ privacy: { keyFile } });
    assert.equal((await foreign()).peer, first.peer);
    proves('privacy.keyFile');
    await change({ privacy: { internal: ['203.0.113.0/24'] } });
    assert.equal((await foreign()).peer, RAW);
    proves('privacy.internal');
  });

  await t.test('guest: what the agent may take', async () => {
    const times = (text: string): number => agent.stderr().split(text).length - 1;
    await change({ guest: { memoryBytesMax: 67_108_864, checkMs: 1_000 } });
    await until('a step that is given up', () => times('guest.memoryBytesMax is 67108864') === 1);
    proves('guest.memoryBytesMax', 'guest.checkMs');
    await change({ guest: { memoryBytesMax: 0, quietMs: 10 } });
    await until('it to be taken back', () => times('takes back: updates') === 1);
    proves('guest.quietMs');
    await change({ guest: { cpuPercentMax: 1, checkMs: 300 } });
    await until('a step that is given up', () => {
      void converse('127.0.0.1', echo.port);
      return agent.stderr().includes('guest.cpuPercentMax is 1');
    });
    proves('guest.cpuPercentMax');
    await change({ guest: { cpuPercentMax: 0 } });
  });

  await t.test('filters, fold, budget: what becomes no row of its own', async () => {
    const closes = () => portsOf(since(), 'close', 'client', echo.port);
    await change({ filters: [{ name: 'left-out', ports: [echo.port] }] });
    const left = await converse('127.0.0.1', echo.port);
    // Both ends of it. What is still in the rings is read under the next configuration.
    await until('it to be left out', () => totalOf(since().at(-1), 'filtered') >= 2);
    await change({ filters: [] });
    const kept = await converse('127.0.0.1', echo.port);
    await until('the connection after the filter', () => closes().includes(kept));
    assert.ok(!rowsOf(all()).some((row) => row['local_port'] === left));
    proves('filters');

    const folded = () =>
      rowsOf(since()).filter((row) => row['kind'] === 'summary' && row['peer_port'] === echo.port);
    await change({ batch: { heartbeatMs: HEARTBEAT_MS }, fold: { enabled: true } });
    // The first of its kind stays a row of its own.
    for (let count = 0; count < 5; count++) await converse('127.0.0.1', echo.port);
    await change({ fold: { windowMs: 1_000 } });
    await until('a summary', () => rowsOf(all()).some((row) => row['kind'] === 'summary'));
    proves('fold.enabled');
    for (let count = 0; count < 5; count++) await converse('127.0.0.1', echo.port);
    await until('a summary of a batch that is closed by time', () => folded().length > 0);
    proves('fold.windowMs');

    const isShort = () =>
      since().some(({ health }) =>
        (health?.['capabilities'] as { program: string }[] | undefined)?.some(
          ({ program }) => program === 'budget-everything',
        ),
      );
    await change({ batch: { heartbeatMs: 100 }, fold: { enabled: false }, budget: { bytesPerDay: 1 } });
    await until('the budget to be short', isShort);
    await change({ budget: { bytesPerDay: 0 } });
    await until('a later heartbeat', () => since().filter(({ health }) => health !== null).length > 1);
    assert.ok(!isShort());
    proves('budget.bytesPerDay');

    await change({ profile: 'fleet', fold: {}, events: {} });
    assert.match(agent.stderr(), /in force now: profile/);
    proves('profile');
    await change({ profile: 'default' });
  });

  await t.test('log: what is written', async () => {
    await change({ log: { level: 'warn' } });
    await change({ labels: { zone: 'silent' } });
    assert.doesNotMatch(agent.stderr(), /in force now: log\.level/);
    await change({ log: { level: 'info' } });
    await until('the line', () => agent.stderr().includes('in force now: log.level'));
    assert.equal(agent.stderr().match(/in force now: labels\.zone"/g), null);
    proves('log.level');
  });

  await t.test('publish: how long the end may take, and the pace', async () => {
    // What the publisher makes of its pace: publish/pace.test.ts.
    const given: unknown[] = [];
    const deps = { publisher: { configure: (pacing: unknown) => given.push(pacing) } };
    const config = loadConfig(AGENT_CONFIG, { part: 'agent', file: home.configFile, env: {} });
    createTakers(deps as unknown as TakerDeps).publish?.(config);
    assert.deepEqual(given, [config.publish]);
    proves('publish.retryWaitMsMax', 'publish.replaySpeedMax');

    await change({ publish: { stopWaitMsMax: 0 } });
    agent.child.kill('SIGTERM');
    await until('the end, although no broker answers', () => agent.child.exitCode !== null);
    assert.equal(agent.child.exitCode, 0, agent.stderr());
    proves('publish.stopWaitMsMax');
  });
});
