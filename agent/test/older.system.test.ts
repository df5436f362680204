import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { agentHome, runningAgent, spooled, until } from './support/agent-process.ts';
import { echoServer } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';
import type { OracleBatch } from './support/oracle.ts';
import { portsOf } from './support/spooled-rows.ts';

test('what is older than the agent is told before the heartbeat that says so', needsRoot, async (t) => {
  const { port } = await echoServer(t, '127.0.0.1');
  const held = connect(port, '127.0.0.1');
  t.after(() => held.destroy());
  await once(held, 'connect');
  const further = { events: { updateMs: 0 } };
  const home = agentHome(t, { further });
  const earlier = await runningAgent(t, home);
  earlier.child.kill('SIGTERM');
  await earlier.ended();
  const byEarlier = spooled(home).length;
  // Rings of another size: a state of its own, which goes on with what the first knew.
  home.configure({ ...further, ring: { lifecycleBytes: 8 << 20 } });
  const agent = await runningAgent(t, home);
  const isSaid = ({ health }: OracleBatch): boolean => health?.['older_told'] === true;
  await until('older connections to be told', () => spooled(home).some(isSaid));
  agent.child.kill('SIGTERM');
  await agent.ended();

  const batches = spooled(home).slice(byEarlier);
  const saidAt = batches.findIndex(isSaid);
  const [before, since] = [batches.slice(0, saidAt), batches.slice(saidAt)];
  const beats = (of: readonly OracleBatch[]): readonly OracleBatch[] =>
    of.filter(({ health }) => health !== null);
  assert.ok(beats(before).length > 0);
  assert.ok(beats(since).every(isSaid));
  for (const role of ['client', 'server']) {
    assert.deepEqual(portsOf(before, 'update', role, port), [held.localPort]);
    assert.deepEqual(portsOf(since, 'update', role, port), []);
  }
});
