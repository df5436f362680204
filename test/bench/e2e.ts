/**
 * From a closing connection to a row a query finds: how many are captured, and how long it takes.
 *
 * Latency is from the kernel's time of the close to the answer of the first query that holds the row; the query runs
 * again as soon as it has answered. Both ends of each connection are on this host, so each counts twice.
 */
import { runLoad } from '../harness/load.ts';
import { createStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const QUICK = Boolean(process.env['QUICK']);
const COUNT = QUICK ? 5_000 : 50_000;
const REFUSED = COUNT / 20;

interface Seen {
  readonly pid: number;
  readonly latencyMs: number;
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

const stack = await createStack();
try {
  await stack.startServer();
  stack.startConsumer();
  await stack.startAgent();
  await until('the table', () =>
    stack.rows('SELECT 1 FROM tcp_events LIMIT 1').then(
      () => true,
      () => false,
    ),
  );

  const seen: Seen[] = [];
  let offset = 0;
  let watching = true;
  async function look(): Promise<void> {
    const rows = await stack.rows<{ offset: string; pid: number; ts_us: string }>(
      `SELECT origin_offset AS offset, pid, toUnixTimestamp64Micro(ts) AS ts_us FROM tcp_events
       WHERE kind IN ('close', 'fail') AND origin_offset > {offset:UInt64}`,
      { offset },
    );
    const nowMs = Date.now();
    for (const row of rows) {
      offset = Math.max(offset, Number(row.offset));
      seen.push({ pid: row.pid, latencyMs: nowMs - Number(row.ts_us) / 1000 });
    }
  }
  const watcher = (async () => {
    while (watching) await look();
  })();

  console.error(`${COUNT} connections, ${REFUSED} of them refused`);
  const startedMs = performance.now();
  const truths = await runLoad({ count: COUNT, refused: REFUSED, seed: 1, concurrency: 16, pauseMs: 2 });
  const seconds = (performance.now() - startedMs) / 1000;
  console.error(`made in ${seconds.toFixed(1)} s: ${(COUNT / seconds).toFixed(0)} connections/s`);
  const pids = new Set(truths.map((truth) => truth.pid));
  const captured = (): Seen[] => seen.filter((row) => pids.has(row.pid));
  await until('all rows', () => captured().length >= truths.length, 20_000).catch((error: Error) => {
    console.error(error.message);
  });
  watching = false;
  await watcher;

  const latencies = captured()
    .map((row) => row.latencyMs)
    .toSorted((a, b) => a - b);
  console.log(
    JSON.stringify({
      embedded: {
        connections: COUNT,
        capture_ratio: latencies.length / truths.length,
        latency_ms_p50: Math.round(quantile(latencies, 0.5)),
        latency_ms_p99: Math.round(quantile(latencies, 0.99)),
        connections_per_s: Math.round(COUNT / seconds),
      },
    }),
  );
} finally {
  await stack.stop();
}
