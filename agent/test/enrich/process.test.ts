import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createProcesses, type ProcessKey } from '../../src/enrich/process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TICK_NS = 10_000_000n;

function statOf(pid: number): string[] {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return line.slice(line.lastIndexOf(')') + 2).split(' ');
}

function keyOf(pid: number): ProcessKey {
  const stat = statOf(pid);
  // The kernel's own figure is finer than /proc's.
  return {
    pid,
    startNs: BigInt(stat[19] ?? 0) * TICK_NS + 1_234n,
    execId: 0,
    comm: 'x',
    parentPid: Number(stat[1]),
    cgroupId: 7,
  };
}

async function sleeper(t: TestContext): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn('sleep', ['600']);
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  assert.ok(child.pid);
  return { child, pid: child.pid };
}

/** A /proc of one process. */
function fakeProc(
  t: TestContext,
  process: { pid: number; startTicks: number; parentPid: number; exe?: string; flags?: number },
): string {
  const proc = tempFolder(t);
  const folder = join(proc, String(process.pid));
  mkdirSync(join(folder, 'ns'), { recursive: true });
  if (process.exe !== undefined) symlinkSync(process.exe, join(folder, 'exe'));
  symlinkSync('net:[4026531840]', join(folder, 'ns', 'net'));
  writeFileSync(join(folder, 'cgroup'), '0::/system.slice/a.service\n');
  const fields = Array.from({ length: 50 }, () => '0');
  fields[0] = 'S';
  fields[1] = String(process.parentPid);
  fields[6] = String(process.flags ?? 0);
  fields[19] = String(process.startTicks);
  writeFileSync(join(folder, 'stat'), `${process.pid} (a) b (c) ${fields.join(' ')}\n`);
  return proc;
}

const withBlanks = (args: string): string => args.replace(/\0$/, '').replaceAll('\0', ' ');

test('a live process gives its executable, its parent and its namespace', async (t) => {
  const { pid } = await sleeper(t);
  const facts = createProcesses({}).facts(keyOf(pid));
  assert.equal(facts.executable, readlinkSync(`/proc/${pid}/exe`));
  assert.equal(facts.parent_executable, process.execPath);
  assert.ok(facts.process_network_namespace > 0);
  assert.equal(facts.command_line, '');
});

test('the command line is read when it is asked for', async (t) => {
  const { pid } = await sleeper(t);
  assert.equal(createProcesses({ commandLine: withBlanks }).facts(keyOf(pid)).command_line, 'sleep 600');
});

test('a reused pid never lends its name', async (t) => {
  const { pid } = await sleeper(t);
  const processes = createProcesses({ commandLine: withBlanks });
  const earlier = { ...keyOf(pid), startNs: keyOf(pid).startNs - TICK_NS };
  const facts = processes.facts(earlier);
  assert.deepEqual([facts.executable, facts.command_line, facts.parent_executable], ['', '', '']);
  assert.deepEqual(processes.counters(), { read: 1, gone: 1, unreadable: 0 });
});

test('a process that ended has no executable and is counted', async (t) => {
  const { child, pid } = await sleeper(t);
  const key = keyOf(pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const processes = createProcesses({});
  assert.equal(processes.facts(key).executable, '');
  assert.equal(processes.counters().gone, 1);
});

test('another parent than the kernel named lends no executable', (t) => {
  const proc = fakeProc(t, { pid: 10, startTicks: 5, parentPid: 1, exe: '/bin/a' });
  mkdirSync(join(proc, '9'));
  symlinkSync('/bin/stranger', join(proc, '9', 'exe'));
  const processes = createProcesses({}, { procPath: proc });
  const facts = processes.facts({
    pid: 10,
    startNs: 5n * TICK_NS,
    execId: 0,
    comm: 'a',
    parentPid: 9,
    cgroupId: 0,
  });
  assert.deepEqual([facts.executable, facts.parent_executable], ['/bin/a', '']);
});

test('a process is read once, and again under a new name', (t) => {
  const proc = fakeProc(t, { pid: 10, startTicks: 5, parentPid: 1, exe: '/bin/a' });
  const processes = createProcesses({}, { procPath: proc });
  const key = { pid: 10, startNs: 5n * TICK_NS, execId: 0, comm: 'a', parentPid: 1, cgroupId: 0 };
  processes.facts(key);
  processes.facts(key);
  assert.equal(processes.counters().read, 1);
  processes.facts({ ...key, comm: 'b' });
  assert.equal(processes.counters().read, 2);
});

test('a process that moved to another cgroup keeps the one it had when it got its socket', (t) => {
  const proc = fakeProc(t, { pid: 10, startTicks: 5, parentPid: 1, exe: '/bin/a' });
  const names = {
    executable: () => undefined,
    cgroupPath: (id: number) => (id === 77 ? '/system.slice/before.service' : '/'),
  };
  const processes = createProcesses({}, { procPath: proc, names: () => names });
  const key = { pid: 10, startNs: 5n * TICK_NS, execId: 0, comm: 'a', parentPid: 1, cgroupId: 77 };
  assert.equal(processes.facts(key).systemd_unit, 'before.service');
  assert.equal(processes.facts({ ...key, cgroupId: 1 }).systemd_unit, 'a.service');
});

test('what the kernel side kept names a process that is gone, its parent and its cgroup', (t) => {
  const parent = { pid: 9, startNs: 3n, execId: 2 };
  const names = {
    executable: (process: { pid: number; execId: number }) =>
      process.pid === 10 && process.execId === 4
        ? { path: '/usr/bin/child', parent }
        : process.pid === 9 && process.execId === 2
          ? { path: '/usr/bin/parent', parent: { pid: 1, startNs: 1n, execId: 0 } }
          : undefined,
    cgroupPath: (id: number) => (id === 77 ? '/system.slice/a.service' : undefined),
  };
  const processes = createProcesses({}, { procPath: tempFolder(t), names: () => names });
  const key = { pid: 10, startNs: 5n, execId: 4, comm: 'a', parentPid: 9, cgroupId: 77 };
  const { executable, parent_executable, systemd_unit } = processes.facts(key);
  assert.deepEqual(
    [executable, parent_executable, systemd_unit],
    ['/usr/bin/child', '/usr/bin/parent', 'a.service'],
  );
  // Another parent now, another program now: neither is lent.
  assert.equal(processes.facts({ ...key, parentPid: 1 }).parent_executable, '');
  assert.equal(processes.facts({ ...key, execId: 5 }).executable, '');
});

test('a replaced executable keeps its name; a kernel thread without one is not unreadable', (t) => {
  const replaced = fakeProc(t, { pid: 10, startTicks: 5, parentPid: 1, exe: '/bin/a (deleted)' });
  const key = { pid: 10, startNs: 5n * TICK_NS, execId: 0, comm: 'a', parentPid: 1, cgroupId: 0 };
  assert.equal(createProcesses({}, { procPath: replaced }).facts(key).executable, '/bin/a');

  const kernelThread = createProcesses(
    {},
    { procPath: fakeProc(t, { pid: 10, startTicks: 5, parentPid: 1, flags: 0x20_0000 }) },
  );
  kernelThread.facts(key);
  assert.equal(kernelThread.counters().unreadable, 0);
  const refused = createProcesses({}, { procPath: fakeProc(t, { pid: 10, startTicks: 5, parentPid: 1 }) });
  refused.facts(key);
  assert.equal(refused.counters().unreadable, 1);
});

test('other settings are of processes that were looked up before, too', (t) => {
  const proc = fakeProc(t, { pid: 10, startTicks: 5, parentPid: 1, exe: '/home/alice/a' });
  writeFileSync(join(proc, '10', 'cmdline'), 'a\0b\0');
  const processes = createProcesses({}, { procPath: proc });
  const key = { pid: 10, startNs: 5n * TICK_NS, execId: 0, comm: 'a', parentPid: 1, cgroupId: 0 };
  const told = () => {
    const { executable, command_line, cgroup_path } = processes.facts(key);
    return [executable, command_line, cgroup_path];
  };
  const [, , cgroup] = told();
  assert.deepEqual(told(), ['/home/alice/a', '', cgroup]);
  processes.configure({ commandLine: withBlanks, path: (path) => path.replaceAll('a', '-') });
  assert.deepEqual(told(), ['/home/-lice/-', 'a b', cgroup?.replaceAll('a', '-')]);
});
