import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentHome, runningAgent, spooled } from './support/agent-process.ts';
import { converse, echoServer } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';

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
