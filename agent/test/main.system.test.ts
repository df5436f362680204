import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
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
import { converse, echoServer, refused } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';
import type { OracleBatch } from './support/oracle.ts';
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

test('events that found a full ring are counted, and the account still balances', needsRoot, async (t) => {
  const home = agentHome(t, { further: { ring: { lifecycleBytes: 65_536, chatterBytes: 65_536 } } });
  const agent = await runningAgent(t, home);
  const echo = await echoServer(t, '127.0.0.1');
  await Promise.all(Array.from({ length: 400 }, () => converse('127.0.0.1', echo.port)));
  await echo.stop();
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

const pinsOf = ({ instance }: AgentHome): string => `/sys/fs/bpf/tcptrail/${instance}`;

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
  'without an agent for long, the kernel records no more; the next one says so and begins anew',
  needsRoot,
  async (t) => {
    const further = { own: { supervisorPid: process.pid } };
    const home = agentHome(t, { further: { ...further, restart: { absentMs: 1_000 } } });
    const echo = await echoServer(t, '127.0.0.1');
    const first = await runningAgent(t, home);
    first.child.kill('SIGKILL');
    await first.ended();
    const active = (): bigint => {
      const dump = execFileSync('bpftool', ['map', 'dump', 'pinned', join(pinsOf(home), 'control')], {
        encoding: 'utf8',
      });
      return BigInt(/"active": (\d+)/.exec(dump)?.[1] ?? -1);
    };
    const away: number[] = [];
    for (const end = performance.now() + 60_000; active() !== 0n; ) {
      assert.ok(performance.now() < end, 'it still records');
      away.push(await converse('127.0.0.1', echo.port));
    }
    const unseen = [await converse('127.0.0.1', echo.port)];
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
