/**
 * The capabilities that docker-compose.yml leaves the agent, tried on this kernel: they are enough, and each is
 * needed. Root with a bounded set of capabilities is what root in a container is.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { AGENT_CONFIG } from '../../../agent/src/config.ts';
import { type AgentHome, agentHome, spooled, until } from '../../../agent/test/support/agent-process.ts';
import { service } from './compose.ts';
import { type Image, makeImage } from './image.ts';

const GRANTED = (service('agent').cap_add ?? []).map((name) => name.toLowerCase());
const NOBODY = 65_534;
/** Another user's server and client in one process, connected until told to end. */
const CONNECTION = `
process.setgid(${NOBODY});
process.setuid(${NOBODY});
const server = require('node:net').createServer((socket) => socket.on('data', () => process.exit()));
server.listen(0, '127.0.0.1', () => {
  const client = require('node:net').connect(server.address().port, '127.0.0.1', () => console.log('connected'));
  process.stdin.on('data', () => client.write('x'));
});`;
/** Said of every agent here: becoming another user takes capabilities that it does not get. */
const STAYS_ROOT =
  'least_privilege: the agent keeps more rights than it needs: privilege.user is empty; name the user it is to become';
/** The image has no group `tcptrail` to share the spool with; this machine may. */
const IN_IMAGE = 'mount --bind /dev/null /etc/group && exec "$@"';

let image: Image;
before(() => {
  image = makeImage('agent');
});
after(() => image?.remove());

function startAgent(t: TestContext, home: AgentHome, capabilities: readonly string[]) {
  const bounds = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  const main = [process.execPath, join(image.folder, 'agent/src/main.ts'), '--config', home.configFile];
  const bounded = ['setpriv', `--bounding-set=${bounds}`, '--inh-caps=-all', ...main];
  const child = spawn('unshare', ['--mount', 'sh', '-c', IN_IMAGE, 'sh', ...bounded], {
    cwd: image.folder,
    // As docker-compose.yml has it.
    env: { ...process.env, TCPTRAIL_PRIVILEGE_USER: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const closed = once(child, 'close');
  t.after(async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await closed;
    rmSync(home.spoolPath, { recursive: true, force: true });
  });
  return { child, said: () => said, closed: closed as Promise<[number | null]> };
}

/** What the agent with these capabilities lacks, and what it finds of another user's process. */
async function seenWith(
  t: TestContext,
  capabilities: readonly string[],
): Promise<{
  readonly lacking: readonly unknown[];
  readonly executable: unknown;
  readonly namespace: unknown;
}> {
  const home = agentHome(t);
  const agent = startAgent(t, home, capabilities);
  await until('a heartbeat', () => {
    assert.equal(agent.child.exitCode, null, agent.said());
    return spooled(home).some(({ health }) => health !== null);
  });
  const told = spooled(home).find(({ health }) => health !== null)?.health?.['capabilities'];
  const lacking = (told as readonly Record<string, unknown>[])
    .filter(({ attached }) => attached !== true)
    .map(({ program, error }) => `${program}: ${error}`)
    .filter((need) => need !== STAYS_ROOT);

  const other = spawn(process.execPath, ['-e', CONNECTION]);
  const ended = once(other, 'close');
  t.after(() => other.kill());
  await once(other.stdout, 'data');
  const owner = () =>
    spooled(home)
      .flatMap(({ owners }) => owners)
      .find(({ pid }) => pid === other.pid);
  await until('the other user’s connection', () => owner() !== undefined);
  other.stdin.write('x');
  await ended;
  return { lacking, executable: owner()?.['executable'], namespace: owner()?.['process_network_namespace'] };
}

const without = (name: string): readonly string[] => {
  assert.ok(GRANTED.includes(name));
  return GRANTED.filter((each) => each !== name);
};

const NICE = AGENT_CONFIG.parse({}).guest.nice;

/** proc_pid_stat(5): field 19, the 17th after the name. */
function niceOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
}

const NAMESPACE = Number(/\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0]);

test('with the capabilities of docker-compose.yml nothing is missing, of no user’s processes', async (t) => {
  const seen = await seenWith(t, GRANTED);
  assert.deepEqual(seen, { lacking: [], executable: process.execPath, namespace: NAMESPACE });
});

test('without SYS_PTRACE other users’ processes have no network namespace, and the agent says so', async (t) => {
  const seen = await seenWith(t, without('sys_ptrace'));
  const lacking = [
    'cap_sys_ptrace: the agent lacks CAP_SYS_PTRACE; give the container or the unit this capability',
  ];
  assert.deepEqual(seen, { lacking, executable: process.execPath, namespace: 0 });
});

test('without NET_ADMIN connects are not seen at the cgroup tree, and the agent says so', async (t) => {
  const { lacking } = await seenWith(t, without('net_admin'));
  const why = 'EPERM; give the agent CAP_NET_ADMIN';
  assert.deepEqual(lacking, [`connect4: ${why}`, `connect6: ${why}`]);
});

test('with SYS_NICE the agent takes its place before others, without it says that it cannot', async (t) => {
  const agents = [GRANTED, without('sys_nice')].map((granted) => startAgent(t, agentHome(t), granted));
  const [placed, refused] = agents;
  assert.ok(placed && refused);
  await until('a refusal', () => refused.said().includes('cannot set guest.nice (EACCES)'), refused.said);
  await until('a place', () => niceOf(placed.child.pid) === NICE, placed.said);
  assert.doesNotMatch(placed.said(), /cannot set guest\.nice/);
});

for (const name of ['bpf', 'perfmon']) {
  test(`without ${name.toUpperCase()} the agent says so and ends with status 3`, async (t) => {
    const agent = startAgent(t, agentHome(t), without(name));
    const [status] = await agent.closed;
    assert.match(agent.said(), new RegExp(`the agent lacks CAP_${name.toUpperCase()};`));
    assert.equal(status, 3);
  });
}

test('docker-compose.yml grants nothing that is not tried here', () => {
  assert.deepEqual([...GRANTED].sort(), ['bpf', 'net_admin', 'perfmon', 'sys_nice', 'sys_ptrace']);
});
