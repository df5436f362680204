/** How long it takes from the kernel's time of a close to a query that finds its row. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type PacedLoad, runPacedLoad } from '../harness/paced-load.ts';
import { until } from '../harness/until.ts';

type Rows = <T>(query: string, params?: Record<string, unknown>) => Promise<T[]>;

export interface Measured {
  readonly connections: number;
  /** Sides of connections found, of those made. */
  readonly capture_ratio: number;
  readonly latency_ms_p50: number;
  readonly latency_ms_p99: number;
  readonly connections_per_s: number;
}

/** A reader asks this long after it has its answer. */
const POLL_MS = 20;

/** Makes connections at a steady rate and watches them arrive in SQL. */
export async function measureLatency(
  rows: Rows,
  load: { readonly count: number; readonly perSecond: number },
): Promise<Measured> {
  const seen: { readonly pid: number; readonly latencyMs: number }[] = [];
  const behind = new Map<number, number>();
  let watching = true;

  /** One run of an agent is one partition or one spool, read in the order of its offsets. */
  async function look(): Promise<void> {
    const after = [...behind].map(
      ([partition, offset]) => `(origin_partition = ${partition} AND origin_offset <= ${offset})`,
    );
    const found = await rows<{ partition: number; offset: string; pid: number; ts_us: string }>(
      `SELECT origin_partition AS partition, origin_offset AS offset, pid, toUnixTimestamp64Micro(ts) AS ts_us
       FROM tcp_events
       WHERE kind IN ('close', 'fail') AND NOT (${after.join(' OR ') || 'false'})`,
    );
    const nowMs = Date.now();
    for (const row of found) {
      behind.set(row.partition, Math.max(behind.get(row.partition) ?? -1, Number(row.offset)));
      seen.push({ pid: row.pid, latencyMs: nowMs - Number(row.ts_us) / 1000 });
    }
  }
  await look();
  const watcher = (async () => {
    while (watching) {
      await look();
      await sleep(POLL_MS);
    }
  })();

  const made = await runPacedLoad(load);
  const captured = () => seen.filter(({ pid }) => pid === made.pid);
  await until('all rows', () => captured().length >= 2 * made.connections, 20_000).catch((error: Error) =>
    console.error(error.message),
  );
  watching = false;
  await watcher;
  return summary(
    made,
    captured().map(({ latencyMs }) => latencyMs),
  );
}

function summary(made: PacedLoad, latencies: readonly number[]): Measured {
  const sorted = latencies.toSorted((a, b) => a - b);
  const quantile = (q: number): number => {
    return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN);
  };
  return {
    connections: made.connections,
    capture_ratio: sorted.length / (2 * made.connections),
    latency_ms_p50: quantile(0.5),
    latency_ms_p99: quantile(0.99),
    connections_per_s: Math.round(made.connections / made.seconds),
  };
}
