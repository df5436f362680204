/**
 * What an agent takes on a host where next to nothing happens: CPU, and how often its threads wake up.
 *
 * It records the whole machine, so `events` says how idle that was: a figure is one of an idle host only where there
 * were few.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestAgent } from '../harness/agent.ts';
import { cpuOf } from './agent/cpu.ts';
import { residentOf } from './agent/memory.ts';

const QUICK = Boolean(process.env['QUICK']);
/** Code is compiled, and the rings have been empty for long enough that polls are half a second apart. */
const SETTLE_MS = 15_000;
const ROUND_MS = 10_000;
const ROUNDS = QUICK ? 3 : 12;

interface Round {
  readonly cpu_percent: number;
  /** Voluntary context switches: a thread slept and was woken. */
  readonly wakeups_per_s: number;
  /** Of the main thread: its polls, and what else wakes it. */
  readonly main_wakeups_per_s: number;
  readonly events: number;
}

const voluntary = (path: string): number =>
  Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`${path}/status`, 'utf8'))?.[1]);

const agentFolder = mkdtempSync(join(tmpdir(), 'tcptrail-idle-'));
process.env['NODE_COMPILE_CACHE'] = join(agentFolder, 'compiled');
const agent = createTestAgent(agentFolder);

function snapshot() {
  const { pid } = agent.part;
  const tasks = `/proc/${pid}/task`;
  return {
    atMs: performance.now(),
    cpuUs: cpuOf(pid),
    wakeups: readdirSync(tasks).reduce((sum, thread) => sum + voluntary(join(tasks, thread)), 0),
    mainWakeups: voluntary(join(tasks, String(pid))),
    events: [...agent.pinnedNumbers().values()].reduce((sum, number) => sum + number, 0),
  };
}

async function round(): Promise<Round> {
  const before = snapshot();
  await sleep(ROUND_MS);
  const after = snapshot();
  const ms = after.atMs - before.atMs;
  return {
    cpu_percent: rounded((after.cpuUs - before.cpuUs) / (ms * 10)),
    wakeups_per_s: rounded(((after.wakeups - before.wakeups) / ms) * 1_000),
    main_wakeups_per_s: rounded(((after.mainWakeups - before.mainWakeups) / ms) * 1_000),
    events: after.events - before.events,
  };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

try {
  await agent.start();
  await sleep(SETTLE_MS);
  const rounds: Round[] = [];
  for (let count = 0; count < ROUNDS; count++) {
    const measured = await round();
    rounds.push(measured);
    console.error(JSON.stringify(measured));
  }
  const mean = (of: (round: Round) => number): number =>
    rounded(rounds.reduce((sum, each) => sum + of(each), 0) / rounds.length);
  const quietest = rounds.toSorted((a, b) => a.events - b.events)[0];
  const { rssMb, pssMb } = residentOf(agent.part.pid);
  console.log(
    JSON.stringify({
      seconds: (ROUNDS * ROUND_MS) / 1_000,
      cpu_percent: mean((each) => each.cpu_percent),
      wakeups_per_s: mean((each) => each.wakeups_per_s),
      main_wakeups_per_s: mean((each) => each.main_wakeups_per_s),
      events: rounds.reduce((sum, each) => sum + each.events, 0),
      quietest,
      rss_mb: rssMb,
      pss_mb: pssMb,
    }),
  );
} finally {
  await agent.stop();
  rmSync(agentFolder, { recursive: true, force: true });
}
