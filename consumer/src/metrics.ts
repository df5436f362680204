/** Everything the consumer counts. Names: tcptrail_consumer_<noun>_<unit>_total. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  readonly batches: Counter;
  readonly rows: Counter<'table'>;
  readonly inserts: Counter<'table'>;
  readonly insertFailures: Counter<'code'>;
  readonly ledgerSkips: Counter;
  readonly ledgerAlarms: Counter;
  readonly parked: Counter<'reason'>;
  readonly damagedBytes: Counter;
  readonly setAsideFiles: Counter;
  readonly cursorLosses: Counter;
  readonly tornTails: Counter;
  readonly duplicates: Counter;
  readonly kafkaFailures: Counter<'code'>;
  readonly stopped: Gauge;
  readonly clickhouseUp: Gauge;
  readonly exactlyOnce: Gauge;
  readonly spoolBytes: Gauge;
  readonly lag: Gauge;
  readonly lagMessages: Gauge<'partition'>;
  readonly assignedPartitions: Gauge;
  readonly insertSeconds: Histogram;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string) =>
    new Counter({ name: `tcptrail_consumer_${name}_total`, help, registers });
  const labelled = <L extends string>(name: string, help: string, label: L) =>
    new Counter({ name: `tcptrail_consumer_${name}_total`, help, registers, labelNames: [label] });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `tcptrail_consumer_${name}`, help, registers });
  return {
    registry,
    batches: counter('batches', 'Batches stored.'),
    rows: labelled('rows', 'Rows stored.', 'table'),
    inserts: labelled('inserts', 'INSERTs that ended well.', 'table'),
    insertFailures: labelled('insert_failures', 'INSERTs that failed or were not answered.', 'code'),
    ledgerSkips: counter('ledger_skipped_batches', 'Batches found stored already and not inserted again.'),
    ledgerAlarms: counter('ledger_alarms', 'Times the stored rows were not what was inserted.'),
    parked: labelled('parked_batches', 'Batches set aside because they do not decode.', 'reason'),
    damagedBytes: counter('damaged_bytes', 'Damaged bytes of the spool set aside.'),
    setAsideFiles: counter('set_aside_files', 'Files written to set-aside/.'),
    cursorLosses: counter('cursor_losses', 'Times the cursor named a segment that is gone.'),
    tornTails: counter('torn_tails', 'Segments of dead agents that end inside a block.'),
    duplicates: counter('duplicate_batches', 'Batches that were sent twice and stored once.'),
    kafkaFailures: labelled('kafka_failures', 'Times reading from Kafka ended with an error.', 'code'),
    stopped: gauge('stopped', '1 while storing is stopped by an alarm.'),
    clickhouseUp: gauge('clickhouse_up', '1 while ClickHouse answers.'),
    exactlyOnce: gauge('exactly_once', '1 when the server gives exactly-once inserts.'),
    spoolBytes: gauge('spool_bytes', 'Bytes of the spool still to read.'),
    lag: gauge('lag_seconds', 'Age of the last batch when it was stored.'),
    lagMessages: new Gauge({
      name: 'tcptrail_consumer_lag_messages',
      help: 'Messages of a partition not yet stored, as of its last fetch.',
      registers,
      labelNames: ['partition'],
    }),
    assignedPartitions: gauge('assigned_partitions', 'Partitions this consumer reads.'),
    insertSeconds: new Histogram({
      name: 'tcptrail_consumer_insert_seconds',
      help: 'Duration of an INSERT.',
      registers,
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    }),
  };
}
