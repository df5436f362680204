/**
 * Metrics of the agent: one row each, named tcptrail_agent_<noun>_<unit>_total (gauges without `_total`), and the
 * loopback listener that shows them.
 */
import type { MetricRow } from '@tcptrail/schemas/metric-row.ts';
import { Counter, Gauge, Registry } from 'prom-client';

// Imported, node:http loads fetch and WebSocket too: a tenth of a start.
const { createServer } = process.getBuiltinModule('node:http');

/** Name → unit, help. */
type Rows = Readonly<Record<string, readonly [unit: string, help: string]>>;

const COUNTERS = {
  folded_events: ['events', 'Events folded into the rows of others.'],
  filtered_events: ['events', 'Events left out by a filter or by the byte budget.'],
  rows: ['rows', 'Events that became rows of a batch.'],
  batches: ['batches', 'Batches closed, heartbeats included.'],
  batch_bytes: ['bytes', 'Avro bytes of the batches closed.'],
  ring_failed_events: ['events', 'Events the kernel lost because a ring was full or busy.'],
  ring_bad_records: ['records', 'Records of a ring that no event could be made of; counted as failed.'],
  untracked_sockets: [
    'sockets',
    'State changes of sockets, and half-open handshakes, that the kernel had no room to track.',
  ],
  spool_dropped_events: [
    'events',
    'Rows dropped unread from the spool, which was full or held them too long.',
  ],
  given_up_states: [
    'states',
    'Kernel states of earlier runs of which nothing could be read, or for which too many later ones waited.',
  ],
  lost_accounts: [
    'accounts',
    'Kernel states of earlier runs of which somebody removed all batches from the spool.',
  ],
  spool_write_failures: ['failures', 'Writes to the spool that the disk refused.'],
  publish_messages: ['messages', 'Messages Kafka acknowledged: batches, or parts of one.'],
  publish_bytes: ['bytes', 'Avro bytes of these messages, before compression.'],
  publish_repeated_messages: ['messages', 'Of these messages, those marked as perhaps sent before.'],
  publish_split_batches: [
    'batches',
    'Times batches had to be split because the topic takes no message of their size.',
  ],
  publish_failures: ['failures', 'Times publishing was held up by an error.'],
  kafka_unfit_files: [
    'files',
    'Times a changed certificate, key or password file could not be used, and the former was kept.',
  ],
  publish_damaged_bytes: ['bytes', 'Bytes of the spool that are no batch: set aside and not published.'],
  process_lookups: ['lookups', 'Processes looked up in /proc.'],
  gone_processes: ['processes', 'Processes that had ended before they were looked up.'],
  unreadable_processes: ['processes', 'Processes whose executable /proc refused.'],
  stalls: ['stalls', 'Times the agent did not run for more than 5 s.'],
  disabled_unknown_looks: [
    'looks',
    'Looks for guest.disabledFile that its folder refused: what was seen last stayed.',
  ],
  clock_steps: ['steps', 'Times the clock was set while the agent ran.'],
  unsettled_account_samples: ['samples', 'Account samples put off because an event was under way.'],
  config_reloads: ['reloads', 'Times the configuration was read again and taken.'],
  config_refusals: [
    'refusals',
    'Times the configuration was read again and was wrong: the one before it stayed in force.',
  ],
  metrics_listen_failures: ['failures', 'Times the metrics port could not be opened.'],
  log_suppressed_lines: ['lines', 'Repeated log lines left out.'],
  cpu_seconds: [
    'seconds',
    'CPU time of the agent; guest.cpuPercentMax limits what it takes of it in a while.',
  ],
} as const satisfies Rows;

const GAUGES = {
  ring_fill_ratio: ['ratio', 'How full the fuller ring was at most since the heartbeat before, 0 to 1.'],
  heap_bytes: ['bytes', 'JavaScript heap in use.'],
  memory_bytes: [
    'bytes',
    'Resident memory of the agent, with its rings, which guest.memoryBytesMax leaves out.',
  ],
  spool_waiting_bytes: ['bytes', 'Bytes in the spool that no reader has released.'],
  spool_segments: ['segments', 'Segments with such bytes.'],
  spool_pending_batches: ['batches', 'Batches in memory that the disk has not taken.'],
  left_states: ['states', 'Kernel states of earlier runs that are not told to their end, and wait.'],
  budget_steps: [
    'steps',
    'Steps that the byte budget has taken; heartbeats name them. 0 = nothing is left out for it.',
  ],
  budget_left_bytes: ['bytes', 'Bytes that the byte budget still allows; 0 without one, too.'],
  publish_lag_seconds: ['seconds', 'Age of the oldest batch no reader has released.'],
  publish_up: ['', '1 while Kafka takes batches; 0 while it does not, or before the first.'],
  clock_error_seconds: ['seconds', 'Uncertainty of the conversion from kernel time to UTC.'],
  given_up_steps: ['steps', 'What the agent does without to stay below its ceilings; heartbeats name it.'],
  crashed_runs: [
    'runs',
    'Runs before this one that ended without a word, in a row, when it waited for that.',
  ],
  attached_programs: ['programs', 'BPF programs that run.'],
  missing_programs: ['programs', 'BPF programs that could not be attached.'],
  missing_surroundings: [
    'surroundings',
    'What the agent needs around it and does not have; heartbeats name it.',
  ],
} as const satisfies Rows;

export type CounterName = keyof typeof COUNTERS;
export type GaugeName = keyof typeof GAUGES;

const counterOf = (name: string): string => `tcptrail_agent_${name}_total`;
const gaugeOf = (name: string): string => `tcptrail_agent_${name}`;
const rowsOf = (rows: Rows, type: MetricRow['type'], nameOf: (name: string) => string): MetricRow[] =>
  Object.entries(rows).map(([name, [unit, help]]) => ({ name: nameOf(name), type, unit, help, labels: [] }));

export const AGENT_METRICS: readonly MetricRow[] = [
  ...rowsOf(COUNTERS, 'counter', counterOf),
  ...rowsOf(GAUGES, 'gauge', gaugeOf),
];

export interface Metrics {
  add(name: CounterName, by?: number): void;
  /** Raises a counter to a total that is kept elsewhere. */
  raise(name: CounterName, total: number): void;
  set(name: GaugeName, value: number): void;
  text(): Promise<string>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const counters = new Map<CounterName, Counter>();
  const gauges = new Map<GaugeName, Gauge>();
  const totals = new Map<CounterName, number>();
  for (const [name, [, help]] of Object.entries(COUNTERS)) {
    const counter = new Counter({ name: counterOf(name), help, registers: [registry] });
    counters.set(name as CounterName, counter);
  }
  for (const [name, [, help]] of Object.entries(GAUGES)) {
    const gauge = new Gauge({ name: gaugeOf(name), help, registers: [registry] });
    gauges.set(name as GaugeName, gauge);
  }

  function add(name: CounterName, by = 1): void {
    totals.set(name, (totals.get(name) ?? 0) + by);
    counters.get(name)?.inc(by);
  }
  return {
    add,
    raise: (name, total) => add(name, Math.max(0, total - (totals.get(name) ?? 0))),
    set: (name, value) => gauges.get(name)?.set(value),
    text: () => registry.metrics(),
  };
}

export interface MetricsServer {
  /** Rejects with the system's error when the address cannot be had. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** `/metrics` and `/healthz`: 200 with `ok` or what is held up, or 503 with the reason. */
export function createMetricsServer(
  config: { readonly host: string; readonly port: number },
  deps: {
    readonly metrics: Metrics;
    readonly unhealthy: () => string;
    /** What is held up although the agent is well: a restart would not help. */
    readonly heldUp: () => string;
  },
): MetricsServer {
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      const reason = deps.unhealthy();
      const text = reason || deps.heldUp() || 'ok';
      response.writeHead(reason ? 503 : 200, { 'content-type': 'text/plain' }).end(`${text}\n`);
    } else if (request.url === '/metrics') {
      void deps.metrics
        .text()
        .then((text) => response.setHeader('content-type', 'text/plain; version=0.0.4').end(text));
    } else {
      response.writeHead(404).end();
    }
  });
  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(config.port, config.host, () => {
          server.off('error', reject);
          resolve();
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
