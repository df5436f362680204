/** Runs inside a guest: the real agent, known traffic, and what the spool says of it, told on the serial line. */
import assert from 'node:assert/strict';
import { mkdtempSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createTestAgent, type TestAgent } from '../../harness/agent.ts';
import { until } from '../../harness/until.ts';
import type { GuestLine } from '../guest-line.ts';
import { makeTraffic, SMOKE_FACTS } from './smoke.ts';
import { spooled } from './spooled.ts';
import { runTruth } from './truth.ts';

const line = openSync('/dev/ttyS1', 'w');
const tell = (what: GuestLine): void => void writeSync(line, `${JSON.stringify(what)}\n`);

const agent = createTestAgent(mkdtempSync(join('/tmp', 'agent-')), {
  batch: { flushMs: 100, heartbeatMs: 500 },
});
if (await startsRecording(agent)) {
  await smoke(agent);
  await runTruth(tell);
}
tell({ kind: 'end' });

async function startsRecording(agent: TestAgent): Promise<boolean> {
  try {
    await agent.start();
    return true;
  } catch {
    tell({ kind: 'refuses', exitCode: await agent.part.exited, said: agent.part.output() });
    return false;
  }
}

async function smoke(agent: TestAgent): Promise<void> {
  const capabilities = await until(
    'a heartbeat',
    () => spooled(agent.spool).find((batch) => batch.health !== null)?.health?.capabilities,
  );
  // Root is the guest's only user; that says nothing of its kernel.
  tell({ kind: 'runs', capabilities: capabilities.filter(({ program }) => program !== 'least_privilege') });
  const truth = await makeTraffic();
  const code = await agent.part.end('SIGINT');
  check('the agent ends with code 0', () => assert.equal(code, 0, agent.part.output()));
  const batches = spooled(agent.spool);
  for (const [name, fact] of Object.entries(SMOKE_FACTS)) check(name, () => fact(batches, truth));
  await agent.stop();
}

function check(name: string, fact: () => void): void {
  try {
    fact();
    tell({ kind: 'check', name, wrong: '' });
  } catch (error) {
    tell({ kind: 'check', name, wrong: error instanceof Error ? error.message : String(error) });
  }
}
