import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { agentHome, runningAgent, spooled, until } from './support/agent-process.ts';
import { converse, echoServer } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';
import { setClock } from './support/set-clock.ts';
import { portsOf, rowsIn, totalOf } from './support/spooled-rows.ts';

test('one instant of the kernel is one time in every run of the agent', needsRoot, async (t) => {
  const home = agentHome(t);
  const echo = await echoServer(t, '127.0.0.1');
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGTERM'] as const) {
    const agent = await runningAgent(t, home);
    await converse('127.0.0.1', echo.port);
    agent.child.kill(signal);
    await agent.ended();
  }
  const batches = spooled(home);
  const starts = batches.flatMap(({ agent_epoch, owners }) =>
    owners
      .filter((owner) => owner['pid'] === process.pid)
      .map((owner) => ({ agent_epoch, start: owner['process_start_ts'] })),
  );
  assert.ok(new Set(starts.map(({ agent_epoch }) => agent_epoch)).size >= 2, 'this process in two runs');
  assert.deepEqual([...new Set(starts.map(({ start }) => start))].length, 1);
});

const HOUR_S = 3_600;

test(
  'a clock that is set ahead and back costs no row, and each carries the time of its clock',
  needsRoot,
  async (t) => {
    const clock = setClock(t);
    const home = agentHome(t);
    const agent = await runningAgent(t, home, clock.env);
    const echo = await echoServer(t, '127.0.0.1');
    const made: { port: number; fromUs: number; toUs: number }[] = [];
    const kept = (): string => readFileSync(join(home.spoolPath, 'clock.json'), 'utf8');
    for (const seconds of [0, HOUR_S, -HOUR_S]) {
      const before = kept();
      clock.set(seconds);
      // What is encoded before the agent has looked carries the clock before.
      await until('the agent to follow', () => seconds === 0 || kept() !== before);
      const fromUs = clock.nowUs();
      const port = await converse('127.0.0.1', echo.port);
      made.push({ port, fromUs, toUs: clock.nowUs() });
      await until('its rows', () => portsOf(spooled(home), 'close', 'server', echo.port).includes(port));
    }
    agent.child.kill('SIGTERM');
    assert.equal(await agent.ended(), 0, agent.stderr());
    assert.match(agent.stderr(), /the clock was set/);

    const batches = spooled(home);
    const closes = batches
      .flatMap(({ events }) => events)
      .filter(
        ({ kind, role, peer_port }) => kind === 'close' && role === 'client' && peer_port === echo.port,
      );
    assert.deepEqual(
      closes.map(({ local_port }) => local_port),
      made.map(({ port }) => port),
    );
    for (const [index, { ts }] of closes.entries()) {
      const { fromUs = 0, toUs = 0 } = made[index] ?? {};
      // Whole milliseconds, and where within one the clocks of test and agent differ.
      assert.ok(Number(ts) >= fromUs - 1_000 && Number(ts) <= toUs + 2_000, `${fromUs} ${ts} ${toUs}`);
    }
    assert.deepEqual(
      batches.map(({ batch_seq }) => batch_seq),
      batches.map((_, index) => index + 1),
    );
    const end = batches.at(-1);
    assert.equal(totalOf(end, 'seq_last'), rowsIn(batches) + totalOf(end, 'failed'));
  },
);
