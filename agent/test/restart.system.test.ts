/** No gap at a restart: what one agent leaves in the kernel, the next one tells. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AgentHome,
  agentHome,
  runningAgent,
  spooled,
  startAgent,
  until,
} from './support/agent-process.ts';
import { converse, echoServer } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';
import type { OracleBatch } from './support/oracle.ts';
import { portsOf, rowsIn, totalOf } from './support/spooled-rows.ts';
import { tempFolder } from './support/temp-folder.ts';

const pinsOf = ({ instance }: AgentHome): string => `/sys/fs/bpf/tcptrail/${instance}`;

/** Until the kernel records no more: it looks when there is something to record. */
async function untilAbsent(home: AgentHome, port: number): Promise<void> {
  const active = (): bigint => {
    const pinned = join(pinsOf(home), 'control');
    const dump = execFileSync('bpftool', ['map', 'dump', 'pinned', pinned], { encoding: 'utf8' });
    return BigInt(/"active": (\d+)/.exec(dump)?.[1] ?? -1);
  };
  for (const end = performance.now() + 60_000; active() !== 0n; ) {
    assert.ok(performance.now() < end, 'it still records');
    await converse('127.0.0.1', port);
  }
}

/** Ports of the connections made while `during` runs. */
async function trafficDuring(port: number, during: () => Promise<unknown>): Promise<readonly number[]> {
  const ports: number[] = [];
  let going = true;
  const traffic = (async () => {
    // So few a second that the rings hold those of a slow restart.
    for (; going; await sleep(2)) ports.push(await converse('127.0.0.1', port));
  })();
  await during();
  going = false;
  await traffic;
  return ports.sort((a, b) => a - b);
}

/** One that stays open; `port` is the client's. */
async function heldConnection(port: number): Promise<{ readonly port: number; close(): Promise<void> }> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.resume();
  return {
    port: socket.localPort ?? 0,
    async close() {
      socket.end();
      await once(socket, 'close');
    },
  };
}

/** Each connection once at each end, each number of the kernel a row, one after another without a gap. */
function assertWhole(
  batches: readonly OracleBatch[],
  told: { ports: readonly number[]; server: number },
): void {
  for (const role of ['client', 'server'])
    assert.deepEqual(portsOf(batches, 'close', role, told.server), told.ports);
  const epochs = [...new Set(batches.map((batch) => batch.kernel_epoch))];
  for (const epoch of epochs) {
    const own = batches.filter((batch) => batch.kernel_epoch === epoch);
    const last = own.at(-1);
    assert.equal(totalOf(last, 'failed'), 0);
    assert.equal(totalOf(last, 'rows_ahead'), 0);
    assert.equal(totalOf(last, 'rows'), rowsIn(own));
    assert.equal(totalOf(last, 'seq_last'), rowsIn(own));
  }
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(
    `an agent ended by ${signal} is followed by one that loses nothing and doubles nothing`,
    needsRoot,
    async (t) => {
      const home = agentHome(t, { further: { own: { supervisorPid: process.pid } } });
      const echo = await echoServer(t, '127.0.0.1');
      let last = await runningAgent(t, home);
      const ports = await trafficDuring(echo.port, async () => {
        for (let restarts = 0; restarts < 3; restarts += 1) {
          const rows = rowsIn(spooled(home));
          await until('rows in the spool', () => rowsIn(spooled(home)) > rows + 100);
          last.child.kill(signal);
          assert.equal(await last.ended(), signal === 'SIGKILL' ? signal : 0, last.stderr());
          last = await runningAgent(t, home);
        }
      });
      await echo.stop();
      last.child.kill('SIGINT');
      assert.equal(await last.ended(), 0, last.stderr());
      const batches = spooled(home);
      assert.equal(new Set(batches.map((batch) => batch.kernel_epoch)).size, 1);
      assert.equal(new Set(batches.map((batch) => batch.agent_epoch)).size, 4);
      assertWhole(batches, { ports, server: echo.port });
      assert.equal(existsSync(pinsOf(home)), false);
    },
  );
}

test(
  'an agent of another layout takes over while connections are made, and loses and doubles nothing',
  needsRoot,
  async (t) => {
    const further = { own: { supervisorPid: process.pid } };
    const home = agentHome(t, { further });
    const echo = await echoServer(t, '127.0.0.1');
    let last = await runningAgent(t, home);
    const ports = await trafficDuring(echo.port, async () => {
      for (const lifecycleBytes of [8 << 20, 16 << 20, 4 << 20]) {
        last.child.kill('SIGKILL');
        await last.ended();
        home.configure({ ...further, ring: { lifecycleBytes } });
        last = await runningAgent(t, home);
        assert.deepEqual(readdirSync(pinsOf(home)).filter((name) => /^\d+-/.test(name)).length, 1);
      }
    });
    await echo.stop();
    last.child.kill('SIGINT');
    assert.equal(await last.ended(), 0, last.stderr());
    const batches = spooled(home);
    assert.equal(new Set(batches.map((batch) => batch.kernel_epoch)).size, 4);
    assertWhole(batches, { ports, server: echo.port });
    assert.equal(existsSync(pinsOf(home)), false);
  },
);

test(
  '--end ends what a killed agent left: it is spooled, and nothing stays in the kernel',
  needsRoot,
  async (t) => {
    const home = agentHome(t, { further: { own: { supervisorPid: process.pid } } });
    const echo = await echoServer(t, '127.0.0.1');
    const killed = await runningAgent(t, home);
    killed.child.kill('SIGKILL');
    await killed.ended();
    const ports = [await converse('127.0.0.1', echo.port)];
    await echo.stop();
    assert.ok(existsSync(pinsOf(home)));
    const ending = startAgent(t, ['--end', '--config', home.configFile]);
    assert.equal(await ending.ended(), 0, ending.stderr());
    assertWhole(spooled(home), { ports, server: echo.port });
    assert.equal(existsSync(pinsOf(home)), false);
  },
);

test(
  'where the spool is gone the next agent says so, tells what the kernel held, and begins anew with an even account',
  needsRoot,
  async (t) => {
    const home = agentHome(t, { further: { own: { supervisorPid: process.pid } } });
    const echo = await echoServer(t, '127.0.0.1');
    const first = await runningAgent(t, home);
    for (let count = 0; count < 20; count += 1) await converse('127.0.0.1', echo.port);
    await until('their rows', () => portsOf(spooled(home), 'close', 'client', echo.port).length === 20);
    first.child.kill('SIGKILL');
    await first.ended();
    const [epoch] = spooled(home).map(({ kernel_epoch }) => kernel_epoch);
    const gone = rowsIn(spooled(home));
    const held = await converse('127.0.0.1', echo.port);
    rmSync(home.spoolPath, { recursive: true });

    const second = await runningAgent(t, home);
    assert.match(second.stderr(), /"msg":"no batch of an earlier run is in the spool/);
    const seen = await converse('127.0.0.1', echo.port);
    await echo.stop();
    second.child.kill('SIGINT');
    assert.equal(await second.ended(), 0, second.stderr());
    const [earlier, anew] = [true, false].map((isEarlier) =>
      spooled(home).filter(({ kernel_epoch }) => (kernel_epoch === epoch) === isEarlier),
    ) as [OracleBatch[], OracleBatch[]];
    assertWhole(anew, { ports: [seen], server: echo.port });
    assert.deepEqual(portsOf(earlier, 'close', 'client', echo.port), [held]);
    const last = earlier.at(-1);
    assert.ok(totalOf(last, 'rows') >= rowsIn(earlier) + gone);
    assert.equal(totalOf(last, 'seq_last'), totalOf(last, 'rows') + totalOf(last, 'failed'));
  },
);

test(
  'without an agent for long, the kernel records no more; the next one says so and begins anew',
  needsRoot,
  async (t) => {
    const further = { own: { supervisorPid: process.pid } };
    const home = agentHome(t, { further: { ...further, restart: { absentMs: 1_000 } } });
    const echo = await echoServer(t, '127.0.0.1');
    const first = await runningAgent(t, home);
    first.child.kill('SIGKILL');
    await first.ended();
    await untilAbsent(home, echo.port);
    const unseen = [await converse('127.0.0.1', echo.port)];
    // On a busy machine it may take longer than that until it beats.
    home.configure(further);
    const second = await runningAgent(t, home);
    const seen = [await converse('127.0.0.1', echo.port)];
    await echo.stop();
    second.child.kill('SIGINT');
    assert.equal(await second.ended(), 0, second.stderr());
    const batches = spooled(home);
    const told = portsOf(batches, 'close', 'client', echo.port);
    assert.ok(seen.every((port) => told.includes(port)));
    assert.ok(!unseen.some((port) => told.includes(port)));
    const [firstEpoch, secondEpoch] = [...new Set(batches.map((batch) => batch.kernel_epoch))];
    const absent = (epoch: unknown): number =>
      batches
        .filter((batch) => batch.kernel_epoch === epoch)
        .flatMap((batch) =>
          (batch.programs as { program: string; absent_runs: number }[]).filter(
            ({ program }) => program === 'state',
          ),
        )
        .at(-1)?.absent_runs ?? 0;
    assert.ok(absent(firstEpoch) > 0);
    assert.equal(absent(secondEpoch), 0);
  },
);

test(
  'an agent that was stopped for too long begins anew: what ended meanwhile is not of its recording',
  needsRoot,
  async (t) => {
    // Only root can attach again by itself.
    const further = { own: { supervisorPid: process.pid }, privilege: { user: '' }, events: { scanMs: 100 } };
    const home = agentHome(t, { further: { ...further, restart: { absentMs: 1_000 } } });
    const echo = await echoServer(t, '127.0.0.1');
    const agent = await runningAgent(t, home);
    const [firstEpoch] = spooled(home).map(({ kernel_epoch }) => kernel_epoch);
    const held = await heldConnection(echo.port);
    const opened = (): boolean => portsOf(spooled(home), 'open', 'client', echo.port).includes(held.port);
    await until('its open', opened);
    agent.child.kill('SIGSTOP');
    await untilAbsent(home, echo.port);
    await held.close();
    home.configure(further);
    agent.child.kill('SIGCONT');
    const told = (): boolean =>
      spooled(home).some(
        (batch) => batch.kernel_epoch !== firstEpoch && batch.health?.['older_told'] === true,
      );
    await until('all that is open to be told anew', told, agent.stderr);
    assert.match(agent.stderr(), /longer than restart\.absentMs/);
    const seen = await converse('127.0.0.1', echo.port);
    await echo.stop();
    agent.child.kill('SIGINT');
    assert.equal(await agent.ended(), 0, agent.stderr());
    const anew = spooled(home).filter((batch) => batch.kernel_epoch !== firstEpoch);
    assert.ok(portsOf(anew, 'close', 'client', echo.port).includes(seen));
    for (const kind of ['open', 'update', 'close'])
      assert.ok(!portsOf(anew, kind, 'client', echo.port).includes(held.port), kind);
    assert.equal(existsSync(pinsOf(home)), false);
  },
);

test(
  'an agent with a /run of its own is refused where another goes on with the kernel state, which stays',
  needsRoot,
  async (t) => {
    const home = agentHome(t);
    const first = await runningAgent(t, home);
    const states = readdirSync(pinsOf(home));
    const config = join(tempFolder(t), 'agent.yaml');
    const spool = { path: join(tempFolder(t), 'spool') };
    writeFileSync(config, JSON.stringify({ instance: home.instance, spool, metrics: { port: 0 } }));
    const agent = [process.execPath, join(import.meta.dirname, '../src/main.ts'), '--config', config];
    const inContainer = ['-m', 'sh', '-c', 'mount -t tmpfs run /run && exec "$0" "$@"', ...agent];
    const second = spawnSync('unshare', inContainer, { encoding: 'utf8', timeout: 60_000 });
    assert.equal(second.status, 1, second.stderr);
    assert.match(second.stderr, /^tcptrail agent: another agent goes on with the kernel state in [^\n]*\n$/);
    assert.deepEqual(readdirSync(pinsOf(home)), states);
    first.child.kill('SIGINT');
    assert.equal(await first.ended(), 0, first.stderr());
  },
);
