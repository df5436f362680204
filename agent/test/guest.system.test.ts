import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type AgentHome,
  agentHome,
  runningAgent,
  spooled,
  startAgent,
  stopped,
  until,
} from './support/agent-process.ts';
import { converse, echoServer } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';
import { portsOf, rowsIn, totalOf } from './support/spooled-rows.ts';
import { tempFolder } from './support/temp-folder.ts';

interface Capability {
  readonly program: string;
  readonly attached: boolean;
  readonly error: string;
}

const STEPS = ['updates', 'retransmits', 'fold', 'programs'];

/** What each heartbeat says is missing, in the order of writing. */
const missing = (home: AgentHome): Capability[][] =>
  spooled(home).flatMap(({ health }) =>
    health === null
      ? []
      : [(health as { capabilities: Capability[] }).capabilities.filter(({ attached }) => !attached)],
  );
const givenUp = (home: AgentHome): string[] =>
  missing(home).map((all) => STEPS.filter((step) => all.some(({ program }) => program === step)).join(' '));

test(
  'above a ceiling the agent gives up one thing after another, says so in heartbeats, and goes on telling them',
  needsRoot,
  async (t) => {
    const guest = { memoryBytesMax: 67_108_864, checkMs: 400 };
    const home = agentHome(t, { further: { guest, batch: { heartbeatMs: 100, flushMs: 100 } } });
    const agent = await runningAgent(t, home);
    const echo = await echoServer(t, '127.0.0.1');
    await converse('127.0.0.1', echo.port);
    await until('all programs to be detached', () => agent.stderr().includes('"step":"programs"'));
    await converse('127.0.0.1', echo.port);
    const count = missing(home).length;
    await until('three more heartbeats', () => missing(home).length > count + 2);
    assert.deepEqual([...new Set(givenUp(home))].filter(Boolean), [
      'updates',
      'updates retransmits',
      'updates retransmits fold',
      'updates retransmits fold programs',
    ]);
    const last = missing(home).at(-1) ?? [];
    const updates = last.find(({ program }) => program === 'updates');
    assert.match(updates?.error ?? '', /took \d+ bytes of memory, guest\.memoryBytesMax is 67108864$/);
    assert.ok(
      last.some(({ program }) => program === 'state'),
      'each program is named too',
    );
    agent.child.kill('SIGTERM');
    assert.equal(await agent.ended(), 0, agent.stderr());

    const batches = spooled(home);
    assert.equal(portsOf(batches, 'close', 'client', echo.port).length, 1, 'none while nothing is attached');
    const end = batches.at(-1);
    assert.equal(totalOf(end, 'seq_last'), rowsIn(batches) + totalOf(end, 'failed'));
  },
);

test('when it is quiet all programs come back with a new start of the same process', needsRoot, async (t) => {
  const keys = (guest: object) => ({
    guest: { checkMs: 100, quietMs: 20, ...guest },
    // Only root can attach again by itself.
    privilege: { user: '' },
  });
  // Less than it takes, then by far more.
  const home = agentHome(t, { further: keys({ memoryBytesMax: 67_108_864 }) });
  const agent = await runningAgent(t, home);
  const echo = await echoServer(t, '127.0.0.1');
  const epochs = () => new Set(spooled(home).map(({ agent_epoch }) => agent_epoch));
  await until('all programs to be detached', () => agent.stderr().includes('"step":"programs"'));
  home.configure(keys({ memoryBytesMax: 1_073_741_824 }));
  agent.child.kill('SIGHUP');
  await until('a connection that is recorded by a new start', () => {
    void converse('127.0.0.1', echo.port);
    return epochs().size > 1 && portsOf(spooled(home), 'close', 'client', echo.port).length > 0;
  });
  assert.equal(agent.child.exitCode, null);
  agent.child.kill('SIGTERM');
  assert.equal(await agent.ended(), 0, agent.stderr());
});

test('a stopped process loses nothing while its rings have room', needsRoot, async (t) => {
  const home = agentHome(t);
  const agent = await runningAgent(t, home);
  const echo = await echoServer(t, '127.0.0.1');
  await stopped(agent);
  const rows = rowsIn(spooled(home));
  const ports: number[] = [];
  for (let count = 0; count < 200; count++) ports.push(await converse('127.0.0.1', echo.port));
  assert.equal(rowsIn(spooled(home)), rows);
  agent.child.kill('SIGCONT');
  const closes = () => portsOf(spooled(home), 'close', 'client', echo.port);
  await until('all connections', () => closes().length >= ports.length);
  assert.deepEqual(
    closes(),
    ports.toSorted((a, b) => a - b),
  );
  agent.child.kill('SIGTERM');
  assert.equal(await agent.ended(), 0, agent.stderr());
});

const pins = (home: AgentHome): string => `/sys/fs/bpf/tcptrail/${home.instance}`;

test(
  'the disabled file ends a running agent, which leaves nothing behind, and keeps it from starting',
  needsRoot,
  async (t) => {
    const disabledFile = join(tempFolder(t), 'disabled');
    const home = agentHome(t, { further: { guest: { disabledFile } } });
    const agent = await runningAgent(t, home);
    const echo = await echoServer(t, '127.0.0.1');
    assert.ok(existsSync(pins(home)));
    const port = await converse('127.0.0.1', echo.port);
    writeFileSync(disabledFile, '');
    assert.equal(await agent.ended(), 3);
    const sentence = `tcptrail agent: this host is not to be recorded: ${disabledFile} is there; remove it and start the agent\n`;
    assert.ok(agent.stderr().endsWith(sentence), agent.stderr());
    assert.deepEqual(portsOf(spooled(home), 'close', 'client', echo.port), [port]);
    assert.ok(!existsSync(pins(home)));

    const refused = startAgent(t, ['--config', home.configFile]);
    assert.equal(await refused.ended(), 3);
    assert.equal(refused.stderr(), sentence);
    assert.ok(!existsSync(pins(home)));
  },
);

test(
  'an agent that was killed again and again waits before it records, and says so',
  needsRoot,
  async (t) => {
    const home = agentHome(t, { further: { guest: { crashWaitMsMax: 300 } } });
    const file = join(home.spoolPath, 'crashes.json');
    const crashes = (): number =>
      existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { crashes: number }).crashes : 0;
    for (const count of [1, 2, 3]) {
      const agent = startAgent(t, ['--config', home.configFile]);
      await until('it to begin', () => crashes() === count);
      agent.child.kill('SIGKILL');
      await agent.ended();
      assert.doesNotMatch(agent.stderr(), /AGENT_CRASHED/);
    }
    const agent = await runningAgent(t, home);
    assert.match(agent.stderr(), /AGENT_CRASHED.*"wait_ms":300,.*3 times in a row.*waits 0\.3 s/);
    agent.child.kill('SIGTERM');
    assert.equal(await agent.ended(), 0, agent.stderr());
    assert.equal(crashes(), 0);
  },
);

test('every thread of the agent takes the place that is configured', needsRoot, async (t) => {
  const home = agentHome(t, { further: { guest: { nice: 7, ioClass: 'idle', oomScoreAdjust: 123 } } });
  const agent = await runningAgent(t, home);
  const proc = `/proc/${agent.child.pid}`;
  const threads = readdirSync(`${proc}/task`);
  assert.ok(threads.length > 1);
  for (const thread of threads) {
    const stat = readFileSync(`${proc}/task/${thread}/stat`, 'utf8');
    // proc_pid_stat(5): field 19, the 17th after the name.
    assert.equal(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16], '7');
    assert.match(execFileSync('ionice', ['-p', thread], { encoding: 'utf8' }), /^idle/);
  }
  if (existsSync(`${proc}/autogroup`)) assert.match(readFileSync(`${proc}/autogroup`, 'utf8'), / nice 7$/m);
  assert.equal(readFileSync(`${proc}/oom_score_adj`, 'utf8'), '123\n');
  assert.doesNotMatch(agent.stderr(), /AGENT_PRIORITY/);
});
