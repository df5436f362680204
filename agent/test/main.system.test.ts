import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentHome, runningAgent, spooled, startAgent, stopped } from './support/agent-process.ts';
import { converse, echoServer, refused } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';
import { portsOf, rowsIn, totalOf } from './support/spooled-rows.ts';
import { tempFolder } from './support/temp-folder.ts';

const CONNECTIONS = 100;

test(
  'both sides of every connection are spooled once, by name, and the account balances',
  needsRoot,
  async (t) => {
    const home = agentHome(t);
    const agent = await runningAgent(t, home);
    const ports = new Map<number, number[]>();
    for (const host of ['127.0.0.1', '::1'] as const) {
      const echo = await echoServer(t, host);
      const locals: number[] = [];
      for (let count = 0; count < CONNECTIONS; count++) locals.push(await converse(host, echo.port));
      await echo.stop();
      await refused(host, echo.port);
      ports.set(
        echo.port,
        locals.sort((a, b) => a - b),
      );
    }
    agent.child.kill('SIGTERM');
    assert.equal(await agent.ended(), 0, agent.stderr());

    const batches = spooled(home);
    for (const [server, locals] of ports) {
      assert.deepEqual(portsOf(batches, 'close', 'client', server), locals);
      assert.deepEqual(portsOf(batches, 'close', 'server', server), locals);
      assert.equal(portsOf(batches, 'fail', 'client', server).length, 1);
    }
    const closes = batches.flatMap((batch) =>
      batch.events
        .filter((event) => ports.has(Number(event.peer_port)) && event.kind === 'close')
        .map((event) => batch.owners[Number(event.owner)]),
    );
    assert.equal(closes.length, 2 * CONNECTIONS);
    assert.ok(batches.every((batch) => batch.events.every((event) => event.own === false)));
    for (const owner of closes)
      assert.deepEqual([owner?.pid, owner?.executable], [process.pid, process.execPath]);

    assert.deepEqual(
      batches.map((batch) => batch.batch_seq),
      batches.map((_, index) => index + 1),
    );
    const last = batches.at(-1);
    for (const cpu of last?.cpus ?? []) {
      const { seq_last = -1, rows = 0, failed = 0, folded = 0, filtered = 0, rows_ahead } = cpu;
      assert.equal(seq_last, rows + failed + folded + filtered, `CPU ${cpu.cpu}`);
      assert.equal(rows_ahead, 0);
    }
    assert.equal(totalOf(last, 'rows'), rowsIn(batches));
  },
);

test(
  'a broker that does not answer holds up the end, and the rings are read meanwhile',
  needsRoot,
  async (t) => {
    const silent = createServer((socket) => void socket.resume().on('error', () => {}));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => void silent.close().unref());
    const { port } = silent.address() as AddressInfo;
    // Holds 550 ends, a second of them and less than come in all.
    const ring = { lifecycleBytes: 262_144 };
    const publish = { enabled: true, stopWaitMsMax: 5_000 };
    const kafka = { brokers: [`127.0.0.1:${port}`] };
    const home = agentHome(t, { further: { ring, publish, kafka } });
    const agent = await runningAgent(t, home);
    const echo = await echoServer(t, '127.0.0.1');
    agent.child.kill('SIGTERM');
    const ports: number[] = [];
    for (; agent.child.exitCode === null; await sleep(5)) ports.push(await converse('127.0.0.1', echo.port));
    assert.ok(ports.length > 300, `more than a ring holds: ${ports.length}`);
    await echo.stop();
    home.configure({ ring });
    const next = await runningAgent(t, home);
    next.child.kill('SIGINT');
    assert.equal(await next.ended(), 0, next.stderr());
    const batches = spooled(home);
    assert.deepEqual(
      portsOf(batches, 'close', 'client', echo.port),
      ports.toSorted((a, b) => a - b),
    );
    assert.equal(totalOf(batches.at(-1), 'failed'), 0);
    assert.equal(totalOf(batches.at(-1), 'rows'), rowsIn(batches));
  },
);

test('events that found a full ring are counted, and the account still balances', needsRoot, async (t) => {
  const home = agentHome(t, { further: { ring: { lifecycleBytes: 65_536, chatterBytes: 65_536 } } });
  const agent = await runningAgent(t, home);
  const echo = await echoServer(t, '127.0.0.1');
  // Nobody reads the rings meanwhile, and each holds some hundred events.
  await stopped(agent);
  await Promise.all(Array.from({ length: 400 }, () => converse('127.0.0.1', echo.port)));
  await echo.stop();
  agent.child.kill('SIGCONT');
  agent.child.kill('SIGTERM');
  assert.equal(await agent.ended(), 0, agent.stderr());
  const batches = spooled(home);
  const last = batches.at(-1);
  const failed = totalOf(last, 'failed');
  assert.ok(failed > 0);
  assert.equal(totalOf(last, 'seq_last'), rowsIn(batches) + failed);
  const reserves = last?.failed_reserves as { ring: string; count: number }[];
  assert.equal(
    reserves.reduce((sum, { count }) => sum + count, 0),
    failed,
  );
});

test('a second agent is refused in one sentence, and the first goes on', needsRoot, async (t) => {
  const home = agentHome(t);
  const first = await runningAgent(t, home);
  const second = startAgent(t, ['--config', home.configFile]);
  assert.equal(await second.ended(), 1);
  assert.match(second.stderr(), /^tcptrail agent: another agent already uses the instance .*\n$/);
  first.child.kill('SIGTERM');
  assert.equal(await first.ended(), 0);
});

test('heartbeats carry the health of the agent', needsRoot, async (t) => {
  const home = agentHome(t);
  const agent = await runningAgent(t, home);
  agent.child.kill('SIGTERM');
  await agent.ended();
  const health = spooled(home).find((batch) => batch.health !== null)?.health;
  assert.ok(Number(health?.memory_bytes) > 1_000_000);
  assert.ok(Number(health?.clock_error_us) < 1_000_000);
  assert.ok(
    (health?.capabilities as { attached: boolean }[] | undefined)?.some((capability) => capability.attached),
  );
});

test('wrong usage and wrong configuration end in one sentence and exit code 2', async (t) => {
  const file = join(tempFolder(t), 'agent.yaml');
  writeFileSync(file, 'spool: {pth: /x}\n');
  for (const args of [
    ['--config', file],
    ['--check', '--config', file],
    ['--nonsense'],
    ['--config', `${file}.none`],
  ]) {
    const agent = startAgent(t, args);
    assert.equal(await agent.ended(), 2);
    assert.match(agent.stderr(), /^tcptrail agent: [^\n]*\n$/);
  }
});

test('the configuration can be checked and shown without root, kernel or spool', async (t) => {
  const file = join(tempFolder(t), 'agent.yaml');
  writeFileSync(file, 'spool: {path: /nowhere/at/all}\n');
  const said = async (option: string): Promise<string> => {
    const agent = startAgent(t, [option, '--config', file]);
    let text = '';
    agent.child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    assert.equal(await agent.ended(), 0);
    return text;
  };
  assert.equal(await said('--check'), `agent configuration is right: ${file}\n`);
  const text = await said('--print-config');
  assert.match(text, /path: \/nowhere\/at\/all\n/);
  assert.match(text, /flushMs: 500\n/);
});

test('a taken metrics port is a warning, not the end', needsRoot, async (t) => {
  const taken = await echoServer(t, '127.0.0.1');
  const home = agentHome(t, { metricsPort: taken.port });
  const agent = await runningAgent(t, home);
  agent.child.kill('SIGTERM');
  assert.equal(await agent.ended(), 0);
  assert.match(agent.stderr(), new RegExp(`AGENT_METRICS_PORT.*127.0.0.1:${taken.port} \\(EADDRINUSE\\)`));
  await taken.stop();
});

test('without a right to load programs the agent ends in one sentence', needsRoot, async (t) => {
  const home = agentHome(t);
  const agent = startAgent(t, ['--config', home.configFile], { uid: 65_534, gid: 65_534 });
  assert.ok([1, 3].includes(Number(await agent.ended())));
  assert.match(agent.stderr(), /^tcptrail agent: [^\n]*root[^\n]*\n$/);
});
