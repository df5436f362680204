import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CAPABILITY, parseStatus, type Thread } from '../../src/privilege/capabilities.ts';
import { KEPT } from '../../src/privilege/drop.ts';
import { type AgentHome, agentHome, runningAgent, spooled, until } from '../support/agent-process.ts';
import { converse, echoServer } from '../support/connections.ts';
import { needsRoot } from '../support/needs-root.ts';
import { portsOf } from '../support/spooled-rows.ts';

/** A user that every Linux has and that owns nothing; not the one of whom the test's processes are. */
const USER = 'daemon';
const OTHER_UID = 65_534;

const dropped = (further: object = {}): object => ({ privilege: { user: USER }, ...further });

function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).map((id) =>
    parseStatus(readFileSync(`/proc/${pid}/task/${id}/status`, 'latin1')),
  );
}

function leastPrivilege(home: AgentHome): unknown {
  const last = spooled(home).findLast(({ health }) => health !== null);
  const capabilities = last?.health?.['capabilities'] as { program: string }[] | undefined;
  return capabilities?.find(({ program }) => program === 'least_privilege');
}

/** A connection of another user's process, which stays idle until the test ends. */
async function idleConnection(t: TestContext, port: number): Promise<number> {
  const script = `require('node:net').connect(${port}, '127.0.0.1')`;
  const child = spawn(process.execPath, ['-e', script], { uid: OTHER_UID, gid: OTHER_UID, stdio: 'ignore' });
  await once(child, 'spawn');
  t.after(() => child.kill());
  return child.pid ?? 0;
}

test(
  'no thread keeps root or more than three capabilities, and recording goes on, also with the next agent',
  needsRoot,
  async (t) => {
    const events = { openHoldMs: 300, scanMs: 100 };
    const home = agentHome(t, { further: dropped({ events, process: { commandLine: true } }) });
    mkdirSync(home.spoolPath);
    const others = join(home.spoolPath, 'payroll.db');
    writeFileSync(others, '', { mode: 0o600 });
    const agent = await runningAgent(t, home);
    assert.equal(statSync(others).uid, 0, 'what is not of the spool stays whose it is');
    const pid = agent.child.pid ?? 0;
    for (const { uid, permitted, effective } of threadsOf(pid)) {
      assert.equal(uid, 1);
      assert.equal((permitted | effective) & ~KEPT, 0n);
    }
    assert.equal(threadsOf(pid)[0]?.effective, KEPT);
    assert.equal(KEPT & CAPABILITY.CAP_SYS_ADMIN, 0n);

    const echo = await echoServer(t, '127.0.0.1');
    const local = await converse('127.0.0.1', echo.port);
    const other = await idleConnection(t, echo.port);
    // Only the iterators of the watch tell an idle connection; only /proc tells its owner's namespace and arguments.
    const opened = () =>
      spooled(home).flatMap((batch) =>
        batch.events
          .filter(
            ({ kind, role, peer_port }) => kind === 'open' && role === 'client' && peer_port === echo.port,
          )
          .map(({ owner }) => batch.owners[Number(owner)]),
      );
    await until('the idle connection', () => opened().length > 0, agent.stderr);
    const owner = opened()[0];
    assert.equal(owner?.pid, other);
    assert.equal(owner?.uid, OTHER_UID);
    assert.equal(owner?.executable, process.execPath);
    assert.match(String(owner?.command_line), /node:net/);
    const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0];
    assert.equal(owner?.process_network_namespace, Number(namespace));
    await until('the close', () => portsOf(spooled(home), 'close', 'client', echo.port).includes(local));
    assert.equal((leastPrivilege(home) as { attached: boolean }).attached, true);

    // The next one starts as root with what is that user's.
    agent.child.kill('SIGKILL');
    await agent.ended();
    const next = await runningAgent(t, home);
    const later = await converse('127.0.0.1', echo.port);
    await until('the close', () => portsOf(spooled(home), 'close', 'client', echo.port).includes(later));
    next.child.kill('SIGTERM');
    assert.equal(await next.ended(), 0, next.stderr());
    const pins = `/sys/fs/bpf/tcptrail/${home.instance}`;
    assert.deepEqual(
      existsSync(pins) ? readdirSync(pins).filter((name) => name.startsWith('accounts')) : [],
      [],
    );
  },
);

test(
  'compiled code is kept for the next start, although its user may not write there',
  needsRoot,
  async (t) => {
    const home = agentHome(t, { further: dropped() });
    const cache = join(dirname(home.configFile), 'compiled');
    mkdirSync(cache, { mode: 0o755 });
    const agent = await runningAgent(t, home, { NODE_COMPILE_CACHE: cache });
    assert.equal(threadsOf(agent.child.pid ?? 0)[0]?.uid, 1);
    const kept = readdirSync(cache, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    assert.ok(kept.length > 100, `${kept.length} files`);
  },
);

/** Of a process: what it listens on, as /proc/<pid>/net has it, local address and port in hexadecimal. */
function listeners(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  const rows = (file: string): string[][] =>
    readFileSync(`/proc/${pid}/net/${file}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/));
  const inet = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6'].flatMap((file) =>
    rows(file)
      // 0A: listening; 07: a socket without a peer, which takes whatever comes.
      .filter((row) => ['0A', '07'].includes(row[3] ?? '') && inodes.has(row[9] ?? ''))
      .map((row) => `${file} ${row[1]}`),
  );
  // __SO_ACCEPTCON: it listens.
  const unix = rows('unix').filter((row) => row[3] === '00010000' && inodes.has(row[6] ?? ''));
  return [...inet, ...unix.map((row) => `unix ${row[7] ?? ''}`)];
}

test(
  'without the user the agent stays root and says so; it listens on one socket alone',
  needsRoot,
  async (t) => {
    // Below those that the kernel gives out: nobody takes it meanwhile.
    const metricsPort = 20_000 + (process.pid % 10_000);
    const home = agentHome(t, { further: { privilege: { user: 'no-such-user' } }, metricsPort });
    const agent = await runningAgent(t, home);
    assert.equal(threadsOf(agent.child.pid ?? 0)[0]?.uid, 0);
    assert.match(
      agent.stderr(),
      /keeps more rights than it needs: there is no user no-such-user, which costs: /,
    );
    const told = leastPrivilege(home) as { attached: boolean; error: string };
    assert.equal(told.attached, false);
    assert.match(told.error, /no user no-such-user; make one \(useradd /);

    // Metrics and health on loopback, and nothing else.
    const port = metricsPort.toString(16).toUpperCase();
    assert.deepEqual(listeners(agent.child.pid ?? 0), [`tcp 0100007F:${port}`]);
    // The search finds what is there: this process listens too.
    const echo = await echoServer(t, '::1');
    assert.equal(listeners(process.pid).length, 1);
    connect(echo.port, '::1').destroy();
  },
);
