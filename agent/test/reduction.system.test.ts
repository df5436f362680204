import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { agentHome, runningAgent, spooled, until } from './support/agent-process.ts';
import { converse, echoServer } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';
import type { OracleBatch } from './support/oracle.ts';
import { portsOf, totalOf } from './support/spooled-rows.ts';

const CONNECTIONS = 50;
const PORT_RULE = 'echo';

interface Rule {
  readonly rule: string;
  readonly folded: number;
  readonly filtered: number;
}

const rulesOf = (batch: OracleBatch | undefined): readonly Rule[] => (batch?.['rules'] ?? []) as Rule[];

function assertBalanced(batch: OracleBatch | undefined): void {
  for (const { cpu, seq_last = -1, rows = 0, failed = 0, folded = 0, filtered = 0 } of batch?.cpus ?? []) {
    assert.equal(seq_last, rows + failed + folded + filtered, `CPU ${cpu}`);
  }
  const rules = rulesOf(batch);
  for (const what of ['folded', 'filtered'] as const) {
    assert.equal(
      rules.reduce((sum, rule) => sum + rule[what], 0),
      totalOf(batch, what),
    );
  }
}

test('what a filter names is in no row and is counted by rule, the rest is told', needsRoot, async (t) => {
  const [left, told] = await Promise.all([echoServer(t, '127.0.0.1'), echoServer(t, '127.0.0.1')]);
  const filters = [{ name: PORT_RULE, ports: [left.port], peers: ['127.0.0.0/8'] }];
  const home = agentHome(t, { further: { filters } });
  const agent = await runningAgent(t, home);
  for (let count = 0; count < CONNECTIONS; count++) {
    await converse('127.0.0.1', left.port);
    await converse('127.0.0.1', told.port);
  }
  await Promise.all([left.stop(), told.stop()]);
  agent.child.kill('SIGTERM');
  assert.equal(await agent.ended(), 0, agent.stderr());

  const batches = spooled(home);
  for (const role of ['client', 'server']) {
    assert.equal(portsOf(batches, 'close', role, left.port).length, 0);
    assert.equal(portsOf(batches, 'close', role, told.port).length, CONNECTIONS);
  }
  const last = batches.at(-1);
  assertBalanced(last);
  const [rule] = rulesOf(last);
  assert.deepEqual([rule?.rule, rule?.folded], [PORT_RULE, 0]);
  assert.ok((rule?.filtered ?? 0) >= 2 * CONNECTIONS);
});

test('a filter that is new at a restart leaves no connection without its end', needsRoot, async (t) => {
  const echo = await echoServer(t, '127.0.0.1');
  const events = { openHoldMs: 0 };
  const home = agentHome(t, { further: { events } });
  const first = await runningAgent(t, home);
  const socket = connect(echo.port, '127.0.0.1');
  await once(socket, 'connect');
  const port = Number(socket.localPort);
  const told = (kind: string): boolean => portsOf(spooled(home), kind, 'client', echo.port).includes(port);
  await until('its open', () => told('open'));
  first.child.kill('SIGTERM');
  assert.equal(await first.ended(), 0, first.stderr());

  home.configure({ events, filters: [{ name: PORT_RULE, ports: [echo.port] }] });
  const second = await runningAgent(t, home);
  socket.destroy();
  const later = await converse('127.0.0.1', echo.port);
  await until('both ends of the later one to be left out', () =>
    rulesOf(spooled(home).at(-1)).some(({ rule, filtered }) => rule === PORT_RULE && filtered >= 4),
  );
  await echo.stop();
  second.child.kill('SIGTERM');
  assert.equal(await second.ended(), 0, second.stderr());
  assert.ok(told('close'));
  assert.ok(!portsOf(spooled(home), 'close', 'client', echo.port).includes(later));
  assertBalanced(spooled(home).at(-1));
});

test(
  'a budget that is spent leaves out step by step, says so in heartbeats and counts it',
  needsRoot,
  async (t) => {
    const home = agentHome(t, { further: { budget: { bytesPerDay: 40_000 } } });
    const agent = await runningAgent(t, home);
    const echo = await echoServer(t, '127.0.0.1');
    const stepsTold = (): readonly unknown[] => {
      const capabilities = spooled(home).findLast(({ health }) => health !== null)?.health?.['capabilities'];
      return (capabilities as { program: string; attached: boolean }[])
        .filter(({ program, attached }) => program.startsWith('budget-') && !attached)
        .map(({ program }) => program);
    };
    let going = true;
    const traffic = (async () => {
      while (going) await converse('127.0.0.1', echo.port);
    })();
    await until('the last step', () => stepsTold().length === 5);
    const isOut = (): boolean =>
      rulesOf(spooled(home).at(-1)).some(
        ({ rule, filtered }) => rule === 'budget-everything' && filtered > 100,
      );
    await until('events to be left out', isOut);
    going = false;
    await traffic;
    await echo.stop();
    agent.child.kill('SIGTERM');
    assert.equal(await agent.ended(), 0, agent.stderr());

    assert.deepEqual(stepsTold(), [
      'budget-loopback',
      'budget-repeated',
      'budget-updates',
      'budget-retransmits',
      'budget-everything',
    ]);
    assert.match(agent.stderr(), /AGENT_BUDGET.*raise budget\.bytesPerDay/);
    assertBalanced(spooled(home).at(-1));
  },
);
