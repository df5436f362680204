import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../src/enrich/clock.ts';
import { type HealthDeps, measureHealth } from '../src/health.ts';
import { createMetrics, type Metrics } from '../src/metrics.ts';

const NOW_US = 1_700_000_000_000_000;
const CLOCK: Clock = {
  start: () => {},
  measure: () => {},
  offset_us: 0,
  error_us: 17,
  steps: 0,
  nowUs: () => NOW_US,
};
const capability = (program: string, attached: boolean) => ({ program, attached, error: '', cost: '' });

function depsOf(change: Partial<HealthDeps> = {}): HealthDeps & { readonly metrics: Metrics } {
  return {
    programs: [capability('state', true), capability('destroy', false), capability('first_read', true)],
    surroundings: [capability('host_pid_namespace', false), capability('bpffs', true)],
    reduced: [],
    clock: CLOCK,
    spoolHealth: () => ({ bytes: 11, segments: 12, lag_us: 13, pending: 14 }),
    processCounters: () => ({ read: 3, gone: 2, unreadable: 1 }),
    kernelFailed: () => 5,
    kernelUntracked: () => 6,
    suppressedLines: 7,
    olderTold: true,
    ringFill: 0.25,
    metrics: createMetrics(),
    ...change,
  };
}

/** The value of a metric without labels. */
async function metricOf(metrics: Metrics, name: string): Promise<number> {
  return Number(new RegExp(`^tcptrail_agent_${name} (\\S+)$`, 'm').exec(await metrics.text())?.[1]);
}

const cpuUs = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

test('CPU is what this process has used, user and system, no more and no less', () => {
  for (let round = 0; round < 3; round++) {
    const before = cpuUs();
    const { cpu_us } = measureHealth(depsOf());
    assert.ok(before <= cpu_us && cpu_us <= cpuUs(), `${before} ${cpu_us}`);
    for (const end = cpu_us + 20_000; cpuUs() < end; );
  }
});

test('memory is resident memory', () => {
  const { memory_bytes } = measureHealth(depsOf());
  const total = memory_bytes / process.memoryUsage.rss();
  assert.ok(total > 0.5 && total < 2, `${memory_bytes}`);
});

test('what the agent costs stands in its metrics as in the heartbeat', async () => {
  const deps = depsOf();
  measureHealth(deps);
  const { cpu_us, memory_bytes } = measureHealth(deps);
  assert.equal(await metricOf(deps.metrics, 'memory_bytes'), memory_bytes);
  // A sum of two steps.
  assert.ok(Math.abs((await metricOf(deps.metrics, 'cpu_seconds_total')) - cpu_us / 1e6) < 1e-6);
});

test('the lag is asked for as of the clock that stamps batches, and told as gauge and in the heartbeat', async () => {
  const asked: number[] = [];
  const deps = depsOf({
    spoolHealth(nowUs) {
      asked.push(nowUs);
      return { bytes: 1_000, segments: 3, lag_us: 86_400_000_000, pending: 2 };
    },
  });
  const health = measureHealth(deps);
  assert.deepEqual(asked, [NOW_US]);
  assert.deepEqual(
    [health.publish_lag_us, health.spool_bytes, health.spool_segments, health.clock_error_us],
    [86_400_000_000, 1_000, 3, 17],
  );
  for (const [name, value] of [
    ['publish_lag_seconds', 86_400],
    ['spool_waiting_bytes', 1_000],
    ['spool_segments', 3],
    ['spool_pending_batches', 2],
    ['clock_error_seconds', 0.000_017],
  ] as const)
    assert.equal(await metricOf(deps.metrics, name), value, name);
});

test('a lag that is over is told as 0', async () => {
  let lag_us = 5;
  const deps = depsOf({ spoolHealth: () => ({ bytes: 0, segments: 1, lag_us, pending: 0 }) });
  measureHealth(deps);
  lag_us = 0;
  assert.equal(measureHealth(deps).publish_lag_us, 0);
  assert.equal(await metricOf(deps.metrics, 'publish_lag_seconds'), 0);
});

test('programs and surroundings stand together in the heartbeat and are counted apart', async () => {
  const deps = depsOf();
  assert.deepEqual(
    measureHealth(deps).capabilities.map(({ program }) => program),
    ['state', 'destroy', 'first_read', 'host_pid_namespace', 'bpffs'],
  );
  for (const [name, value] of [
    ['attached_programs', 2],
    ['missing_programs', 1],
    ['missing_surroundings', 1],
  ] as const)
    assert.equal(await metricOf(deps.metrics, name), value, name);
});

test('totals of the kernel and of /proc become counters that do not count twice', async () => {
  const deps = depsOf();
  measureHealth(deps);
  measureHealth(deps);
  for (const [name, value] of [
    ['ring_failed_events', 5],
    ['untracked_sockets', 6],
    ['process_lookups', 3],
    ['gone_processes', 2],
    ['unreadable_processes', 1],
  ] as const)
    assert.equal(await metricOf(deps.metrics, `${name}_total`), value, name);
});
