/**
 * ClickHouse with a Kafka table and a materialized view into tcp_events, in a process of its own: the usual way.
 *
 * The embedded server refuses that engine, as it reaches outside; here chdb runs without the server, and without
 * what HTTP costs. The parent asks over the channel of `fork`.
 */

import { fillTemplate } from '@tcptrail/consumer/form.ts';
import { CLICKHOUSE_FOLDER, migrationFiles } from '@tcptrail/consumer/migrate/files.ts';
import { statementsOf } from '@tcptrail/consumer/migrate/statements.ts';
import { PREDICTED_FIELDS, restName, restSql } from '@tcptrail/schemas/predicted.ts';
import { eventTableColumns } from '@tcptrail/schemas/stored.ts';
import { Session } from 'chdb';
import { FLAT_FIELDS } from './flat-events.ts';

export interface EngineOrder {
  readonly brokers: string;
  readonly topic: string;
  readonly group: string;
  readonly format: 'Avro' | 'JSONEachRow';
  readonly consumers: number;
  readonly folder: string;
}

/** `go` makes the view, by which the reading begins. */
export type EngineQuestion = 'rows' | 'merges' | 'go';

const DATABASE = 'tcptrail';

function start(order: EngineOrder): { readonly session: Session; readonly view: string } {
  const session = new Session(order.folder, { connectionArgs: ['--timezone=UTC'] });
  const run = (sql: string): void => void session.query(sql);
  run(`CREATE DATABASE ${DATABASE}`);
  for (const { sql } of migrationFiles(CLICKHOUSE_FOLDER)) {
    for (const statement of statementsOf(sql)) run(fillTemplate(statement, { database: DATABASE }));
  }
  const tableColumns = eventTableColumns();
  const typeOf = new Map(tableColumns.map(({ name, type }) => [name, type]));
  const columns = FLAT_FIELDS.map(({ name }) => `\`${name}\` ${typeOf.get(name)}`);
  run(`CREATE TABLE ${DATABASE}.flat (${columns.join(', ')}) ENGINE = Kafka SETTINGS
    kafka_broker_list = '${order.brokers}', kafka_topic_list = '${order.topic}',
    kafka_group_name = '${order.group}', kafka_format = '${order.format}',
    kafka_num_consumers = ${order.consumers}, kafka_thread_per_consumer = 1,
    kafka_max_block_size = 1048576, kafka_poll_max_batch_size = 65536, kafka_flush_interval_ms = 1000`);
  const known: Record<string, string> = {
    day: 'toDate(ts)',
    ts_suspect: 'false',
    origin: '_topic',
    origin_partition: '_partition',
    origin_offset: '_offset',
    ...Object.fromEntries(PREDICTED_FIELDS.map((field) => [restName(field), restSql(field)])),
  };
  const stored = tableColumns.filter(({ alias }) => !alias);
  const selected = stored.map(({ name }) => (known[name] ? `${known[name]} AS ${name}` : name));
  const view = `CREATE MATERIALIZED VIEW ${DATABASE}.flat_view TO ${DATABASE}.tcp_events AS
    SELECT ${selected.join(', ')} FROM ${DATABASE}.flat`;
  return { session, view };
}

const QUESTIONS: Record<Exclude<EngineQuestion, 'go'>, string> = {
  rows: `SELECT count() FROM ${DATABASE}.tcp_events`,
  merges: 'SELECT count() FROM system.merges',
};

let engine: ReturnType<typeof start> | undefined;
process.on('message', (message: EngineOrder | EngineQuestion) => {
  if (typeof message === 'object') {
    engine = start(message);
    process.send?.(0);
  } else if (message === 'go') {
    engine?.session.query(engine.view);
    process.send?.(0);
  } else {
    process.send?.(Number(engine?.session.query(QUESTIONS[message], 'TabSeparated')));
  }
});
process.on('disconnect', () => process.exit());
