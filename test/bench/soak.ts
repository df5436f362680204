/**
 * Agent, consumer and ClickHouse under a steady load for a long time: memory stays flat, no queue grows, nothing is
 * lost or doubled. Exit code 1 when one of these does not hold; the last line of stdout is a JSON object either way.
 *
 *   MINUTES=20  how long    KAFKA=1  with a Kafka between agent and consumer
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runPacedLoad } from '../harness/paced-load.ts';
import { until } from '../harness/until.ts';
import { cpuOf } from './agent/cpu.ts';
import { residentOf } from './agent/memory.ts';
import { flatness, isFlat, isGrowing } from './soak/judge.ts';
import { type SoakParts, startParts } from './soak/parts.ts';

const MINUTES = Number(process.env['MINUTES'] || 20);
const WAY = process.env['KAFKA'] ? 'kafka' : 'spool';
const PER_SECOND = 5_000;
const SAMPLE_MS = 5_000;
const CATCH_UP_MS = 120_000;

/** What each sample holds; megabytes are those of /proc, 2^20 bytes. */
const MEMORY = ['agent_rss_mb', 'agent_anonymous_mb', 'consumer_rss_mb'] as const;
/** Queue → what it may hold by chance. */
const QUEUES = {
  ring_fill_ratio: 0.1,
  spool_mb: 16,
  spool_pending_batches: 2,
  publish_lag_s: 5,
  stored_lag_s: 5,
} as const;
const OTHER = ['agent_heap_mb', 'agent_cpu_percent', 'consumer_cpu_percent'] as const;

type Name = (typeof MEMORY)[number] | keyof typeof QUEUES | (typeof OTHER)[number];
type Sample = Readonly<Record<Name, number>>;

const MIB = 1_048_576;
const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

function anonymousMb(pid: number): number {
  const [, kibibytes] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return rounded(Number(kibibytes) / 1_024);
}

/** Samples what runs every few seconds until told to stop. */
function startSampling(parts: SoakParts) {
  const samples: Sample[] = [];
  let going = true;
  let last = {
    atMs: performance.now(),
    agent: cpuOf(parts.pids.agent),
    consumer: cpuOf(parts.pids.consumer),
  };

  async function sample(): Promise<Sample> {
    const { agent, consumer } = parts.pids;
    const metric = await parts.metrics();
    const [stored] = await parts.rows<{ lag_ms: string }>(
      "SELECT dateDiff('millisecond', max(batch_ts), now64(3)) AS lag_ms FROM tcp_batches",
    );
    const now = { atMs: performance.now(), agent: cpuOf(agent), consumer: cpuOf(consumer) };
    const percent = (of: 'agent' | 'consumer') =>
      rounded((now[of] - last[of]) / ((now.atMs - last.atMs) * 10));
    const cpu = { agent_cpu_percent: percent('agent'), consumer_cpu_percent: percent('consumer') };
    last = now;
    return {
      agent_rss_mb: residentOf(agent).rssMb,
      agent_anonymous_mb: anonymousMb(agent),
      consumer_rss_mb: residentOf(consumer).rssMb,
      agent_heap_mb: rounded(metric('heap_bytes') / MIB),
      ring_fill_ratio: rounded(metric('ring_fill_ratio')),
      spool_mb: rounded(metric('spool_waiting_bytes') / MIB),
      spool_pending_batches: metric('spool_pending_batches'),
      publish_lag_s: rounded(metric('publish_lag_seconds')),
      stored_lag_s: Number(stored?.lag_ms) / 1_000,
      ...cpu,
    };
  }
  const done = (async () => {
    while (going) {
      await sleep(SAMPLE_MS);
      if (!going) return;
      samples.push(await sample());
      console.error(JSON.stringify(samples.at(-1)));
    }
  })();
  return {
    samples,
    async stop() {
      going = false;
      await done;
    },
  };
}

/** Closes of the load's process, each side once. */
async function captured(parts: SoakParts, pid: number): Promise<number> {
  const [row] = await parts.rows<{ closes: string }>(
    "SELECT count() AS closes FROM tcp_events WHERE kind = 'close' AND pid = {pid: UInt32}",
    { pid },
  );
  return Number(row?.closes);
}

async function account(parts: SoakParts) {
  const [row] = await parts.rows<Record<'numbered' | 'failed' | 'lost' | 'doubled' | 'waiting', string>>(
    'SELECT sum(numbered) AS numbered, sum(failed) AS failed, sum(lost) AS lost, sum(doubled) AS doubled, sum(waiting) AS waiting FROM completeness',
  );
  const of = (name: 'numbered' | 'failed' | 'lost' | 'doubled' | 'waiting'): number => Number(row?.[name]);
  return {
    numbered: of('numbered'),
    failed: of('failed'),
    lost: of('lost'),
    doubled: of('doubled'),
    waiting: of('waiting'),
  };
}

async function soak(parts: SoakParts) {
  const sampling = startSampling(parts);
  const load = { count: MINUTES * 60 * PER_SECOND, perSecond: PER_SECOND, ownNetwork: true };
  const made = await runPacedLoad(load).finally(sampling.stop);
  const { samples } = sampling;
  const metric = await parts.metrics();
  const exit = await parts.endAgent();
  await until('all that was spooled to be stored', () => parts.caughtUp(), CATCH_UP_MS);

  const of = (name: Name) => flatness(samples.map((sample) => sample[name]));
  const memory = Object.fromEntries(
    MEMORY.map((name) => {
      const flat = of(name);
      return [name, { ...flat, flat: isFlat(flat) }];
    }),
  );
  const queues = Object.fromEntries(
    Object.entries(QUEUES).map(([name, floor]) => {
      const grown = of(name as Name);
      return [name, { ...grown, growing: isGrowing(grown, floor) }];
    }),
  );
  const events = await account(parts);
  const sides = await captured(parts, made.pid);
  const result = {
    minutes: MINUTES,
    way: WAY,
    connections: made.connections,
    connections_per_s: Math.round(made.connections / made.seconds),
    capture_ratio: sides / (2 * made.connections),
    ...events,
    given_up_steps: metric('given_up_steps'),
    agent_exit: exit,
    samples: samples.length,
    memory,
    queues,
    ...Object.fromEntries(OTHER.map((name) => [name, of(name)])),
  };
  const faults = [
    ...Object.entries(memory).flatMap(([name, { flat }]) => (flat ? [] : [`${name} is not flat`])),
    ...Object.entries(queues).flatMap(([name, { growing }]) => (growing ? [`${name} grows`] : [])),
    ...(['failed', 'lost', 'doubled', 'waiting'] as const).flatMap((name) =>
      events[name] === 0 ? [] : [`${name}: ${events[name]}`],
    ),
    ...(sides === 2 * made.connections ? [] : [`captured ${sides} of ${2 * made.connections} sides`]),
    ...(result.given_up_steps === 0 ? [] : [`the agent gave up ${result.given_up_steps} steps`]),
    ...(exit === 0 ? [] : [`the agent ended with ${exit}`]),
  ];
  return { ...result, faults };
}

if (!(MINUTES > 0)) throw new Error(`MINUTES is ${process.env['MINUTES']}; give a number above 0`);
const parts = await startParts(WAY);
try {
  const result = await soak(parts);
  console.log(JSON.stringify(result));
  process.exitCode = result.faults.length === 0 ? 0 : 1;
} finally {
  await parts.stop();
}
