/** What it costs to watch many connections that are open at once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestAgent, type TestAgent } from '../../harness/agent.ts';
import { until } from '../../harness/until.ts';
import { watchReach } from '../../truth/unreached.ts';
import { cpuOf } from './cpu.ts';
import type { Load, LoadProgram } from './load.ts';
import { median } from './median.ts';
import { residentOf, slabMb } from './memory.ts';
import { readSpool, type SpoolRows } from './spool-rows.ts';

export interface OpenAtOnce {
  readonly connections: number;
  /** At rest, all of them open. */
  readonly rss_mb: number;
  readonly rss_mb_max: number;
  readonly pss_mb: number;
  /** What the kernel's own memory grew by when the agent came: socket storage. */
  readonly kernel_mb: number;
  /** As the agent tells it; where it does not, how much longer its start takes with them open than without. */
  readonly scan_ms: number;
  readonly start_ms_none: number;
  readonly start_ms_open: number;
  /** CPU of the agent while nothing moves. */
  readonly idle_cpu_ms_per_s: number;
  /** CPU of one pass in which every connection had moved, to the last row in the spool. */
  readonly update_cpu_ms: number;
  readonly update_rows: number;
  readonly close_capture_ratio: number;
  /** State changes that reached no program while they closed (docs/decisions/0012); null: not known here. */
  readonly close_unreached: number | null;
}

export interface OpenAtOnceOptions {
  readonly connections: number;
  readonly starts: number;
  readonly idleMs: number;
}

const UPDATE_MS = 2_000;
/** Less CPU than this in a second is rest. */
const REST_US = 50_000;

export async function measureOpenAtOnce(
  program: LoadProgram,
  options: OpenAtOnceOptions,
): Promise<OpenAtOnce> {
  const { connections, starts, idleMs } = options;
  const load = await program.start(connections);
  try {
    const without = await startTimes(starts);
    await load.ask('open');
    const slabBefore = slabMb();
    const withOpen = await startTimes(starts);
    const quiet = await withAgent({}, async (agent) => {
      await rest(agent.part.pid);
      return {
        kernelMb: slabMb() - slabBefore,
        memory: residentOf(agent.part.pid),
        idleUs: await cpuDuring(agent.part.pid, idleMs),
      };
    });
    const moved = await withAgent({ events: { updateMs: UPDATE_MS } }, (agent) =>
      moveAndClose(agent, load, connections),
    );
    return {
      connections,
      rss_mb: quiet.memory.rssMb,
      rss_mb_max: Math.max(quiet.memory.rssMbMax, moved.rssMbMax),
      pss_mb: quiet.memory.pssMb,
      kernel_mb: Math.round(quiet.kernelMb),
      scan_ms: scanMs(without, withOpen),
      start_ms_none: startMs(without),
      start_ms_open: startMs(withOpen),
      idle_cpu_ms_per_s: Math.round(quiet.idleUs / idleMs),
      update_cpu_ms: moved.updateMs,
      update_rows: moved.updateRows,
      close_capture_ratio: moved.closed / (2 * connections),
      close_unreached: moved.unreached,
    };
  } finally {
    await load.end();
  }
}

async function withAgent<T>(config: object, use: (agent: TestAgent) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-bench-'));
  const agent = createTestAgent(folder, config);
  try {
    await agent.start();
    return await use(agent);
  } finally {
    await agent.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Start {
  /** From the start of the process until it records. */
  readonly ms: number;
  /** Of it the scan; undefined where the agent does not tell. */
  readonly scanMs: number | undefined;
}

async function startTimes(count: number): Promise<Start[]> {
  const starts: Start[] = [];
  for (let index = 0; index < count; index++) {
    const beganMs = performance.now();
    const start = await withAgent({}, async (agent) => {
      const told = /"scan_ms":([0-9.]+)/.exec(agent.part.output())?.[1];
      return { ms: performance.now() - beganMs, scanMs: told === undefined ? undefined : Number(told) };
    });
    starts.push(start);
  }
  return starts;
}

function startMs(starts: readonly Start[]): number {
  return Math.round(median(starts.map(({ ms }) => ms)));
}

function scanMs(without: readonly Start[], withOpen: readonly Start[]): number {
  const told = withOpen.map((start) => start.scanMs).filter((ms) => ms !== undefined);
  return told.length > 0 ? Math.round(median(told)) : startMs(withOpen) - startMs(without);
}

async function moveAndClose(agent: TestAgent, load: Load, connections: number) {
  const { pid } = agent.part;
  const rows = readSpool(agent.spool, load.networkNamespace);
  try {
    // They are older than this agent, which tells each of them once.
    await rows.wait('update', 2 * connections);
    await rest(pid);
    const update = await updatePass(agent, load, rows, connections);
    const reach = watchReach();
    let unreached: number | undefined;
    try {
      await load.ask('close');
      await rows.wait('close', 2 * connections);
    } finally {
      unreached = reach?.end();
    }
    return {
      ...update,
      unreached: unreached ?? null,
      closed: rows.sides('close'),
      rssMbMax: residentOf(pid).rssMbMax,
    };
  } finally {
    rows.close();
  }
}

/** Held still while the counters move, so that one pass finds them all. */
async function updatePass(agent: TestAgent, load: Load, rows: SpoolRows, connections: number) {
  const { pid } = agent.part;
  const rowsBefore = rows.rows('update');
  process.kill(pid, 'SIGSTOP');
  try {
    await load.ask('move');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const before = cpuOf(pid);
  await rows.wait('update', rowsBefore + 2 * connections, 'rows');
  return {
    updateMs: Math.round((cpuOf(pid) - before) / 1_000),
    updateRows: rows.rows('update') - rowsBefore,
  };
}

/** After its start an agent may have connections to report. */
async function rest(pid: number): Promise<void> {
  await until('the agent to rest', async () => (await cpuDuring(pid, 1_000)) < REST_US);
}

async function cpuDuring(pid: number, ms: number): Promise<number> {
  const before = cpuOf(pid);
  await sleep(ms);
  return cpuOf(pid) - before;
}
