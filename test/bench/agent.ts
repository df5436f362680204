/**
 * What it costs to record every connection: no recorder, tcptrail's agent and bcc's tcplife in turn, under the same
 * load, one machine being both ends; then an agent beside many connections that are open at once.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildLoad } from './agent/load.ts';
import { median } from './agent/median.ts';
import { measureOpenAtOnce } from './agent/open-at-once.ts';
import { RECORDERS, type RecorderName } from './agent/recorders.ts';
import { type Round, runRounds } from './agent/rounds.ts';

const QUICK = Boolean(process.env['QUICK']);
const ROUNDS = QUICK ? 2 : 5;
const CONNECTIONS = QUICK ? 20_000 : 200_000;
const OPEN = QUICK
  ? { connections: 20_000, starts: 1, idleMs: 2_000 }
  : { connections: 100_000, starts: 3, idleMs: 10_000 };

const TRACEFS = '/sys/kernel/tracing';
/** tcplife finds its tracepoint there. */
const isTracefsMissing = !existsSync(`${TRACEFS}/events`);

async function shortConnections() {
  const load = await buildLoad('short');
  try {
    return summary(await runRounds(load, { rounds: ROUNDS, connections: CONNECTIONS }));
  } finally {
    load.remove();
  }
}

function summary(rounds: Record<RecorderName, readonly Round[]>) {
  const typical = (name: RecorderName, field: keyof Round): number =>
    round(median(rounds[name].map((one) => one[field])));
  const added = (name: RecorderName, field: keyof Round): number =>
    round(typical(name, field) - typical('none', field));
  const { tcptrail } = rounds;
  return {
    connections: CONNECTIONS,
    rounds: ROUNDS,
    cpu_us_none: typical('none', 'cpu_us'),
    cpu_us_tcptrail: typical('tcptrail', 'cpu_us'),
    cpu_us_tcplife: typical('tcplife', 'cpu_us'),
    added_us_tcptrail: added('tcptrail', 'cpu_us'),
    added_us_tcplife: added('tcplife', 'cpu_us'),
    ratio_tcplife: round(added('tcptrail', 'cpu_us') / added('tcplife', 'cpu_us')),
    capture_ratio: Math.min(...tcptrail.map(({ ratio }) => ratio)),
    doubled: tcptrail.reduce((sum, { doubled }) => sum + doubled, 0),
    lost: tcptrail.reduce((sum, { lost }) => sum + lost, 0),
    owned_ratio: Math.min(...tcptrail.map(({ owned }) => owned)),
    capture_ratio_tcplife: Math.min(...rounds.tcplife.map(({ ratio }) => ratio)),
    rss_mb: Math.max(...tcptrail.map(({ rss_mb }) => rss_mb)),
    rss_mb_max: Math.max(...tcptrail.map(({ rss_mb_max }) => rss_mb_max)),
    pss_mb: Math.max(...tcptrail.map(({ pss_mb }) => pss_mb)),
    kernel_us: added('tcptrail', 'load_us'),
    agent_user_us: typical('tcptrail', 'recorder_user_us'),
    agent_system_us: typical('tcptrail', 'recorder_system_us'),
    tcplife_kernel_us: added('tcplife', 'load_us'),
    tcplife_user_us: typical('tcplife', 'recorder_user_us'),
    tcplife_system_us: typical('tcplife', 'recorder_system_us'),
    machine_added_us_tcptrail: added('tcptrail', 'machine_us'),
    machine_added_us_tcplife: added('tcplife', 'machine_us'),
    per_round: Object.fromEntries(
      Object.entries(rounds).map(([name, all]) => [name, all.map(({ cpu_us }) => cpu_us)]),
    ),
  };
}

async function openAtOnce() {
  const load = await buildLoad('held');
  try {
    return await measureOpenAtOnce(load, OPEN);
  } finally {
    load.remove();
  }
}

async function startOnce(): Promise<void> {
  const recorder = await RECORDERS.tcptrail();
  await recorder.stop({ pid: 0, networkNamespace: 0, connections: 1 });
}

const round = (value: number): number => Math.round(value * 100) / 100;

// As bin/tcptrail does: code that an earlier start compiled is there.
const cache = mkdtempSync(join(tmpdir(), 'tcptrail-compiled-'));
process.env['NODE_COMPILE_CACHE'] = cache;
if (isTracefsMissing) execFileSync('mount', ['-t', 'tracefs', 'tracefs', TRACEFS]);
try {
  await startOnce();
  console.log(JSON.stringify({ ...(await shortConnections()), open_100k: await openAtOnce() }));
} finally {
  if (isTracefsMissing) execFileSync('umount', [TRACEFS]);
  rmSync(cache, { recursive: true });
}
