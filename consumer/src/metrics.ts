/** Everything the consumer counts. Names: tcptrail_consumer_<noun>_<unit>_total (gauges without `_total`). */
import type { MetricRow } from '@tcptrail/schemas/metric-row.ts';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { AgeGauge, sumOf } from './lag.ts';

interface Row<L extends string> extends MetricRow {
  readonly labels: readonly L[];
}

const row = <L extends string>(
  type: MetricRow['type'],
  name: string,
  unit: string,
  help: string,
  labels: readonly L[],
): Row<L> => ({ name: `tcptrail_consumer_${name}`, type, unit, help, labels });
const counter = <L extends string = never>(name: string, unit: string, help: string, ...labels: L[]) =>
  row('counter', `${name}_total`, unit, help, labels);
const gauge = <L extends string = never>(name: string, unit: string, help: string, ...labels: L[]) =>
  row('gauge', name, unit, help, labels);

const ROWS = {
  batches: counter(
    'batches',
    'batches',
    'Batches dealt with: stored now, found stored already, or left out as sent twice.',
  ),
  rows: counter(
    'rows',
    'rows',
    'Rows of INSERTs that ended well; of one that is sent again they count again.',
    'table',
  ),
  inserts: counter('inserts', 'inserts', 'INSERTs that ended well.', 'table'),
  insertFailures: counter(
    'insert_failures',
    'failures',
    'Tries to store a range that failed: an INSERT or a question was refused, or not answered.',
    'code',
  ),
  ledgerSkips: counter(
    'ledger_skipped_batches',
    'batches',
    'Batches found stored already and not inserted again.',
  ),
  replayedRanges: counter(
    'replayed_ranges',
    'ranges',
    'Ranges that an earlier owner of the partition had begun, finished under the tokens noted by it.',
  ),
  burnedTokens: counter(
    'burned_tokens',
    'tokens',
    'Tokens that ClickHouse knew without having the rows, as after a kill; the rows were inserted under the next one.',
  ),
  expiredMessages: counter(
    'expired_messages',
    'messages',
    'Messages that the topic no longer held when they were to be read.',
  ),
  ledgerAlarms: counter('ledger_alarms', 'alarms', 'Times the stored rows were not what was inserted.'),
  tierDays: counter(
    'tier_days',
    'days',
    'Days that were summed in a tier, again when late events came.',
    'tier',
  ),
  tierFailures: counter(
    'tier_failures',
    'failures',
    'Times that days could not be summed in a tier, or what is under a legal hold could not be kept.',
    'code',
  ),
  heldRows: counter(
    'held_rows',
    'rows',
    'Rows under a legal hold that were copied, so that they do not age away.',
  ),
  parked: counter(
    'parked_batches',
    'batches',
    'Batches set aside as they do not decode or ClickHouse refuses them; again with every try at their dead letter.',
    'reason',
  ),
  damagedBytes: counter('damaged_bytes', 'bytes', 'Damaged bytes of the spool set aside.'),
  setAsideFiles: counter('set_aside_files', 'files', 'Files written to set-aside/.'),
  cursorLosses: counter('cursor_losses', 'losses', 'Times the cursor named a segment that is gone.'),
  tornTails: counter('torn_tails', 'tails', 'Segments of dead agents that end inside a block.'),
  duplicates: counter('duplicate_batches', 'batches', 'Batches that were sent twice and stored once.'),
  clockMisfits: counter(
    'clock_misfit_batches',
    'batches',
    "Batches that say a time more than two days from the broker's, and are filed under the broker's day; where no broker tells, one to come, or older than the tables keep.",
  ),
  kafkaFailures: counter(
    'kafka_failures',
    'failures',
    'Times reading from Kafka ended with an error, or a changed file of its login could not be used.',
    'code',
  ),
  letterRefusals: counter(
    'letter_refusals',
    'refusals',
    'Times dead letters could not be written; their partition waits, the others go on.',
  ),
  stopped: gauge(
    'stopped',
    '',
    '1 while storing of a partition, or of the spool, is stopped until a person has looked.',
  ),
  clickhouseUp: gauge('clickhouse_up', '', '1 while ClickHouse answers.'),
  exactlyOnce: gauge('exactly_once', '', '1 when the server gives exactly-once inserts.'),
  spoolBytes: gauge('spool_bytes', 'bytes', 'Bytes of the spool still to read.'),
  lag: gauge(
    'lag_seconds',
    'seconds',
    'Age of the last batch when it was stored; while others wait, its age now.',
  ),
  lagEvents: gauge(
    'lag_events',
    'events',
    'Events not yet stored, out of Kafka: messages times the events of a batch so far.',
  ),
  lagMessages: gauge(
    'lag_messages',
    'messages',
    'Messages of a partition not yet stored, as of its last fetch.',
    'partition',
  ),
  assignedPartitions: gauge('assigned_partitions', 'partitions', 'Partitions this consumer reads.'),
  suppressedLines: counter('log_suppressed_lines', 'lines', 'Repeated log lines left out.'),
  insertSeconds: row('histogram', 'insert_duration_seconds', 'seconds', 'Duration of an INSERT.', []),
};

export const CONSUMER_METRICS: readonly MetricRow[] = Object.values(ROWS);

export interface Metrics {
  readonly registry: Registry;
  readonly batches: Counter;
  readonly rows: Counter<'table'>;
  readonly inserts: Counter<'table'>;
  readonly insertFailures: Counter<'code'>;
  readonly ledgerSkips: Counter;
  readonly replayedRanges: Counter;
  readonly burnedTokens: Counter;
  readonly expiredMessages: Counter;
  readonly ledgerAlarms: Counter;
  readonly tierDays: Counter<'tier'>;
  readonly tierFailures: Counter<'code'>;
  readonly heldRows: Counter;
  readonly parked: Counter<'reason'>;
  readonly damagedBytes: Counter;
  readonly setAsideFiles: Counter;
  readonly cursorLosses: Counter;
  readonly tornTails: Counter;
  readonly duplicates: Counter;
  readonly clockMisfits: Counter;
  readonly kafkaFailures: Counter<'code'>;
  readonly letterRefusals: Counter;
  readonly stopped: Gauge;
  readonly clickhouseUp: Gauge;
  readonly exactlyOnce: Gauge;
  readonly spoolBytes: Gauge;
  readonly lag: Gauge;
  readonly lagMessages: Gauge<'partition'>;
  readonly assignedPartitions: Gauge;
  readonly insertSeconds: Histogram;
  readonly suppressedLines: Counter;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const options = <L extends string>({ name, help, labels }: Row<L>) => {
    return { name, help, labelNames: labels, registers: [registry] };
  };
  const makeCounter = <L extends string>(of: Row<L>) => new Counter<L>(options(of));
  const makeGauge = <L extends string>(of: Row<L>) => new Gauge<L>(options(of));
  const [batches, rows] = [makeCounter(ROWS.batches), makeCounter(ROWS.rows)];
  const [spoolBytes, lagMessages] = [makeGauge(ROWS.spoolBytes), makeGauge(ROWS.lagMessages)];
  new Gauge({
    ...options(ROWS.lagEvents),
    async collect() {
      const { values } = await rows.get();
      const events = values.find(({ labels }) => labels.table === 'tcp_events')?.value ?? 0;
      this.set(Math.round(((await sumOf(lagMessages)) * events) / Math.max(1, await sumOf(batches))));
    },
  });
  return {
    registry,
    batches,
    rows,
    inserts: makeCounter(ROWS.inserts),
    insertFailures: makeCounter(ROWS.insertFailures),
    ledgerSkips: makeCounter(ROWS.ledgerSkips),
    replayedRanges: makeCounter(ROWS.replayedRanges),
    burnedTokens: makeCounter(ROWS.burnedTokens),
    expiredMessages: makeCounter(ROWS.expiredMessages),
    ledgerAlarms: makeCounter(ROWS.ledgerAlarms),
    tierDays: makeCounter(ROWS.tierDays),
    tierFailures: makeCounter(ROWS.tierFailures),
    heldRows: makeCounter(ROWS.heldRows),
    parked: makeCounter(ROWS.parked),
    damagedBytes: makeCounter(ROWS.damagedBytes),
    setAsideFiles: makeCounter(ROWS.setAsideFiles),
    cursorLosses: makeCounter(ROWS.cursorLosses),
    tornTails: makeCounter(ROWS.tornTails),
    duplicates: makeCounter(ROWS.duplicates),
    clockMisfits: makeCounter(ROWS.clockMisfits),
    kafkaFailures: makeCounter(ROWS.kafkaFailures),
    letterRefusals: makeCounter(ROWS.letterRefusals),
    stopped: makeGauge(ROWS.stopped),
    clickhouseUp: makeGauge(ROWS.clickhouseUp),
    exactlyOnce: makeGauge(ROWS.exactlyOnce),
    spoolBytes,
    lag: new AgeGauge(
      options(ROWS.lag),
      async () => (await sumOf(lagMessages)) + (await sumOf(spoolBytes)) > 0,
    ),
    lagMessages,
    assignedPartitions: makeGauge(ROWS.assignedPartitions),
    suppressedLines: makeCounter(ROWS.suppressedLines),
    insertSeconds: new Histogram({
      ...options(ROWS.insertSeconds),
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    }),
  };
}
