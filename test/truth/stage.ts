/** What all scenarios stand on: the programs, an agent, a cgroup for each. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { createTestAgent, type TestAgent } from '../harness/agent.ts';
import { until } from '../harness/until.ts';
import type { Stage } from './actor.ts';
import { buildPrograms } from './build.ts';
import { createRows, type Rows } from './rows.ts';

/** Whatever else the machine does is recorded too, and must not push anything out. */
const RING_BYTES = totalmem() > 8 * 2 ** 30 ? 256 << 20 : 16 << 20;

/** Nothing comes that the scenario did not cause: no updates, no listener health. */
const AGENT = {
  batch: { flushMs: 50, rowsMax: 200 },
  ring: { lifecycleBytes: RING_BYTES, chatterBytes: RING_BYTES },
  events: { retransmitsPerSecond: 0, openHoldMs: 1_000, updateMs: 0 },
};

export interface House {
  readonly programs: { readonly actor: string; readonly understudy: string };
  /** A stage of the scenario's own. */
  stageOf(scenario: string): Stage;
  /** The main agent, or another with this over its configuration. */
  startAgent(config?: object): Promise<Rows>;
  /** An agent that all who ask for this configuration share; it runs from the first of them on. */
  sharedAgent(config: object): Promise<Rows>;
  /** What the agents say that they missed. */
  confessions(): readonly string[];
  /** Runs of their programs that the kernel skipped. */
  skippedRuns(): number;
  /** Ends the agents, which then have spooled all there was, and reads it. */
  stopAgents(): Promise<void>;
  /** Takes away the cgroups and the folder. */
  close(): Promise<void>;
}

export async function openHouse(): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-truth-'));
  const programs = await buildPrograms(folder);
  const agents: { readonly agent: TestAgent; readonly rows: Rows }[] = [];
  const cgroups: string[] = [];
  const mount = cgroup2();
  const top = `truth-${process.pid}`;

  const shared = new Map<string, Promise<Rows>>();

  async function startAgent(config: object = {}): Promise<Rows> {
    const agent = createTestAgent(join(folder, `agent-${agents.length}`), { ...AGENT, ...config });
    const rows = createRows(agent.spool);
    agents.push({ agent, rows });
    await agent.start();
    return rows;
  }

  return {
    programs,
    stageOf(scenario) {
      if (mount === '') return { ...programs, program: programs.actor, cgroup: '', cgroupPath: '' };
      const cgroup = join(mount, top, scenario);
      mkdirSync(cgroup, { recursive: true });
      cgroups.push(cgroup);
      return { ...programs, program: programs.actor, cgroup, cgroupPath: `/${top}/${scenario}` };
    },
    startAgent,
    sharedAgent(config) {
      const key = JSON.stringify(config);
      const known = shared.get(key) ?? startAgent(config);
      shared.set(key, known);
      return known;
    },
    confessions: () =>
      agents.flatMap(({ rows }, index) => rows.confessions().map((line) => `agent ${index}: ${line}`)),
    skippedRuns: () => agents.reduce((sum, { rows }) => sum + rows.skippedRuns, 0),
    async stopAgents() {
      for (const { agent, rows } of agents) {
        const code = await agent.part.end('SIGINT');
        if (code !== 0) throw new Error(`an agent ended with ${code}:\n${agent.part.output()}`);
        await agent.stop();
        rows.poll();
      }
    },
    async close() {
      for (const { agent } of agents) await agent.stop();
      for (const cgroup of cgroups) await until('the cgroup to be empty', () => isRemoved(cgroup));
      if (mount !== '' && cgroups.length > 0) rmdirSync(join(mount, top));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Where cgroup v2 is mounted; '' when it is not. */
function cgroup2(): string {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1] ?? '';
}

/** With the cgroups below it. A suite that was interrupted still has processes in it: nobody else's can be there. */
function isRemoved(cgroup: string): boolean {
  if (!existsSync(cgroup)) return true;
  try {
    for (const entry of readdirSync(cgroup, { withFileTypes: true }))
      if (entry.isDirectory()) isRemoved(join(cgroup, entry.name));
    for (const pid of readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n'))
      if (pid !== '') kill(Number(pid), 'SIGKILL');
    rmdirSync(cgroup);
    return true;
  } catch {
    return false;
  }
}
