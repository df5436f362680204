/** What tcptrail-agent.service leaves the agent of root's rights, tried on this kernel. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import {
  AGENT_MAIN,
  type AgentHome,
  agentHome,
  spooled,
  until,
} from '../../../agent/test/support/agent-process.ts';
import { unit } from './unit.ts';

const GRANTED = (unit('tcptrail-agent.service').get('Service.CapabilityBoundingSet')?.[0] ?? '')
  .split(' ')
  .map((name) => name.replace('CAP_', '').toLowerCase());

/** A run from its first heartbeat to SIGTERM: what it lacks, and its exit code. */
async function run(t: TestContext, home: AgentHome, capabilities: readonly string[]) {
  const bounds = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  const main = [process.execPath, AGENT_MAIN, '--config', home.configFile];
  const args = [`--bounding-set=${bounds}`, '--inh-caps=-all', '--no-new-privs', ...main];
  const before = spooled(home).length;
  const child = spawn('setpriv', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => child.kill());
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const closed = once(child, 'close');
  const told = () =>
    spooled(home)
      .slice(before)
      .find(({ health }) => health !== null)?.health?.['capabilities'];
  await until('a heartbeat', () => {
    assert.equal(child.exitCode, null, said);
    return told() !== undefined;
  });
  child.kill('SIGTERM');
  const [code] = await closed;
  const lacking = (told() as readonly Record<string, unknown>[])
    .filter(({ attached }) => attached !== true)
    .map(({ program, error }) => `${program}: ${error}`);
  return { lacking, code };
}

test('an agent with the rights of the unit lacks nothing, also where an earlier one left its files', async (t) => {
  const home = agentHome(t, { further: { privilege: { user: 'daemon' } } });
  for (let start = 0; start < 2; start++)
    assert.deepEqual(await run(t, home, GRANTED), { lacking: [], code: 0 });
});

test('without SETUID it says what it lacks', async (t) => {
  const home = agentHome(t, { further: { privilege: { user: 'daemon' } } });
  const rest = GRANTED.filter((name) => name !== 'setuid');
  assert.equal(rest.length, GRANTED.length - 1);
  const { lacking } = await run(t, home, rest);
  assert.match(lacking.join('\n'), /^least_privilege: /m);
});
