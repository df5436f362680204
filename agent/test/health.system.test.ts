import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AgentHome, agentHome, runningAgent, spooled, until } from './support/agent-process.ts';
import { converse, echoServer } from './support/connections.ts';
import { needsRoot } from './support/needs-root.ts';
import type { OracleBatch } from './support/oracle.ts';

/** Hundredths of a second, on every architecture (USER_HZ). */
const TICK_US = 10_000;

const heartbeats = (home: AgentHome): OracleBatch[] => spooled(home).filter(({ health }) => health !== null);
const lagOf = (batch: OracleBatch | undefined): number => Number(batch?.health?.['publish_lag_us']);
const closedUs = (batch: OracleBatch | undefined): number => Number(batch?.['batch_ts']);

/** proc_pid_stat(5): fields 14 and 15. */
function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

test('the CPU of heartbeats grows with what the kernel says the agent used', needsRoot, async (t) => {
  const home = agentHome(t);
  const agent = await runningAgent(t, home);
  const pid = agent.child.pid ?? 0;
  const told = (): number[] => heartbeats(home).map(({ health }) => Number(health?.['cpu_us']));
  const before = cpuUs(pid);
  const count = told().length;
  const echo = await echoServer(t, '127.0.0.1');
  for (let done = 0; done < 200; done++) await converse('127.0.0.1', echo.port);
  await echo.stop();
  await until('two more heartbeats', () => told().length >= count + 2);
  const all = told();
  // The kernel rounds user and system time down to its tick.
  const after = cpuUs(pid) + 2 * TICK_US;
  assert.deepEqual(
    all,
    all.toSorted((a, b) => a - b),
  );
  assert.ok((all.at(-1) ?? 0) >= before, `${all.at(-1)} of ${before}`);
  assert.ok((all.at(-1) ?? 0) <= after, `${all.at(-1)} of ${after}`);
});

test('the lag is the age of the oldest unread batch, in this run and the next', needsRoot, async (t) => {
  const home = agentHome(t);
  const isBetween = (lag: number, least: number, most: number): void =>
    assert.ok(least <= lag && lag <= most, `${least} ${lag} ${most}`);
  const first = await runningAgent(t, home);
  await until('four heartbeats', () => heartbeats(home).length >= 4);
  const told = heartbeats(home);
  const oldest = spooled(home)[0];
  for (const [index, batch] of told.entries())
    if (index > 0)
      isBetween(
        lagOf(batch),
        closedUs(told[index - 1]) - closedUs(oldest),
        closedUs(batch) - closedUs(oldest),
      );
  first.child.kill('SIGTERM');
  assert.equal(await first.ended(), 0, first.stderr());

  const left = spooled(home);
  const second = await runningAgent(t, home);
  const next = heartbeats(home).find(({ agent_epoch }) => agent_epoch !== oldest?.agent_epoch);
  assert.ok(lagOf(next) >= Number(next?.agent_epoch) - closedUs(left.at(-1)), `${lagOf(next)}`);

  const [segment = ''] = readdirSync(home.spoolPath)
    .filter((name) => name.endsWith('.avro'))
    .sort()
    .slice(-1);
  const read = spooled(home).at(-1);
  const place = { segment, position: statSync(join(home.spoolPath, segment)).size };
  writeFileSync(join(home.spoolPath, 'cursor/consumer.json'), JSON.stringify(place));
  await until('what was read is no longer late', () => {
    const last = heartbeats(home).at(-1);
    return closedUs(last) > closedUs(read) && lagOf(last) < closedUs(last) - closedUs(read);
  });
  second.child.kill('SIGTERM');
  assert.equal(await second.ended(), 0, second.stderr());
});

/**
 * Skipped runs by name of each program that the process has attached, as the kernel tells of its descriptors.
 * Iterators are none of them: they run when they are read.
 */
function kernelsCount(pid: number): Map<string, number> {
  const infos = readdirSync(`/proc/${pid}/fdinfo`).map((fd) =>
    readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'),
  );
  const number = (info: string, field: string): number | undefined => {
    const found = new RegExp(`^${field}:\\s*(\\d+)$`, 'm').exec(info)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const attached = infos
    .filter((info) => /^link_type:\s*(?!iter\b)\S/m.test(info))
    .map((info) => number(info, 'prog_id'));
  const counts = new Map<string, number>();
  for (const info of infos) {
    const [id, skipped] = [number(info, 'prog_id'), number(info, 'recursion_misses')];
    if (skipped === undefined || !attached.includes(id)) continue;
    const shown = spawnSync('bpftool', ['-j', 'prog', 'show', 'id', String(id)], { encoding: 'utf8' });
    assert.equal(shown.status, 0, shown.stderr);
    counts.set((JSON.parse(shown.stdout) as { name: string }).name, skipped);
  }
  return counts;
}

/** Runs that `state_spare` did in the place of `state`, as the pinned account says. */
function recovered(instance: string): number {
  const pins = `/sys/fs/bpf/tcptrail/${instance}`;
  const state = readdirSync(pins).find((name) => /^\d+-/.test(name)) ?? '';
  const dump = spawnSync('bpftool', ['-j', 'map', 'dump', 'pinned', join(pins, state, 'maps/accounts')], {
    encoding: 'utf8',
  });
  assert.equal(dump.status, 0, dump.stderr);
  const cpus = JSON.parse(dump.stdout) as { formatted: { value: { recovered: number } } }[];
  return cpus.reduce((sum, { formatted }) => sum + formatted.value.recovered, 0);
}

test(
  'skipped runs are the kernel’s own count for each attached program, less what the spare one did',
  needsRoot,
  async (t) => {
    const home = agentHome(t);
    const agent = await runningAgent(t, home);
    const echo = await echoServer(t, '127.0.0.1');
    await Promise.all(Array.from({ length: 400 }, () => converse('127.0.0.1', echo.port)));
    await echo.stop();
    assert.ok(kernelsCount(agent.child.pid ?? 0).size > 3);
    await until('a heartbeat with what the kernel has counted', () => {
      const programs = heartbeats(home).at(-1)?.['programs'] as { program: string; skipped_runs: number }[];
      const told = new Map(programs.map(({ program, skipped_runs }) => [program, skipped_runs]));
      const now = kernelsCount(agent.child.pid ?? 0);
      assert.ok(now.delete('state_spare'));
      now.set('state', (now.get('state') ?? 0) - recovered(home.instance));
      return told.size === now.size && [...now].every(([name, skipped]) => told.get(name) === skipped);
    });
  },
);
