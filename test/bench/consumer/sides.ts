/** The ways from Kafka to a row that a query finds: started on an empty ClickHouse, measured, ended. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPart } from '../../harness/process.ts';
import { startServer } from '../../harness/server.ts';
import { until } from '../../harness/until.ts';
import { cpuOf } from '../agent/cpu.ts';
import { residentOf } from '../agent/memory.ts';
import type { EngineOrder, EngineQuestion } from './kafka-engine.ts';

const CONSUMER = join(import.meta.dirname, '../../../consumer/src/main.ts');
const ENGINE = join(import.meta.dirname, 'kafka-engine.ts');
/** Each look is a query that ClickHouse pays for. */
const POLL_MS = 200;
/** So often nothing was merged: it is over. */
const STILL_POLLS = 10;
const DEADLINE_MS = 600_000;

/** Started so far: each has a group of its own. */
let sides = 0;

/** Ready to join its consumer group. */
export interface Side {
  /** Joins it. */
  go(): Promise<void>;
  rows(): Promise<number>;
  merges(): Promise<number>;
  /** Process that holds ClickHouse, and the one before it where there is one. */
  readonly storePid: number;
  readonly consumerPid?: number;
  stop(): Promise<void>;
}

export interface Measured {
  readonly events_per_s: number;
  /** µs an event until the last row is there. */
  readonly store_cpu_us: number;
  readonly consumer_cpu_us: number;
  /** The most that the consumer held in memory, MB. */
  readonly consumer_rss_mb_max: number;
  /** As `store_cpu_us`, until nothing is left to merge. */
  readonly merged_store_cpu_us: number;
}

/**
 * From the moment it begins to join its group to the last row: what starting costs is in none.
 * Throws when rows are missing at the deadline, or when there are more.
 */
export async function measure(side: Side, { events }: { readonly events: number }): Promise<Measured> {
  const at = () => ({
    ms: performance.now(),
    storeUs: cpuOf(side.storePid),
    consumerUs: side.consumerPid === undefined ? 0 : cpuOf(side.consumerPid),
  });
  const first = at();
  await side.go();
  const last = await until(
    'the rows',
    async () => {
      await sleep(POLL_MS);
      const rows = await side.rows();
      if (rows > events) throw new Error(`${rows} rows of ${events} events`);
      return rows === events && at();
    },
    DEADLINE_MS,
  );
  const each = (us: number): number => Math.round((us / events) * 1_000) / 1_000;
  return {
    events_per_s: Math.round((events / (last.ms - first.ms)) * 1_000),
    store_cpu_us: each(last.storeUs - first.storeUs),
    consumer_cpu_us: each(last.consumerUs - first.consumerUs),
    consumer_rss_mb_max: side.consumerPid === undefined ? 0 : residentOf(side.consumerPid).rssMbMax,
    merged_store_cpu_us: each((await merged(side)) - first.storeUs),
  };
}

/** CPU of ClickHouse when it is still. */
async function merged(side: Side): Promise<number> {
  for (let still = 0; still < STILL_POLLS; await sleep(POLL_MS))
    still = (await side.merges()) === 0 ? still + 1 : 0;
  return cpuOf(side.storePid);
}

/** tcptrail as by default: every setting but the addresses. */
export async function startTcptrail(brokers: readonly string[], topic: string): Promise<Side> {
  const group = `tcptrail-${topic}-${++sides}`;
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-bench-'));
  const server = await startServer();
  const file = join(folder, 'consumer.yaml');
  const config = {
    transport: 'kafka',
    clickhouse: { url: server.url },
    kafka: { brokers, topic: { events: topic }, group },
    metrics: { port: 0 },
  };
  writeFileSync(file, JSON.stringify(config));
  const consumer = startPart([CONSUMER, '--config', file]);
  // The last that it says before it joins.
  await consumer.said('reading topic');
  const count = async (query: string): Promise<number> => {
    const result = await server.client.query({ query, format: 'JSONEachRow' });
    const [row] = await result.json<{ n: string }>();
    return Number(row?.n ?? 0);
  };
  return {
    go: async () => {},
    rows: () => count('SELECT count() AS n FROM tcptrail.tcp_events'),
    merges: () => count('SELECT count() AS n FROM system.merges'),
    storePid: server.pid,
    consumerPid: consumer.pid,
    async stop() {
      await consumer.end();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function startKafkaEngine(order: Omit<EngineOrder, 'folder' | 'group'>): Promise<Side> {
  const group = `engine-${order.topic}-${++sides}`;
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-bench-'));
  const child = fork(ENGINE, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const broken = ended.then(([code]) => {
    throw new Error(`the Kafka engine ended with ${String(code)}`);
  });
  broken.catch(() => {});
  async function ask(what: EngineOrder | EngineQuestion): Promise<number> {
    child.send(what);
    const [answer] = (await Promise.race([once(child, 'message'), broken])) as [number];
    return answer;
  }
  await ask({ ...order, group, folder });
  return {
    go: async () => void (await ask('go')),
    rows: () => ask('rows'),
    merges: () => ask('merges'),
    storePid: child.pid ?? 0,
    async stop() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
