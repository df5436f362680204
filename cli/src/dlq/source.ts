/** Which letters the `tcptrail dlq` commands are about, and the ClickHouse that knows what became of them. */

import type { Environment } from '@tcptrail/config/environment.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import { CONSUMER_CONFIG } from '@tcptrail/consumer/config.ts';
import { migrate } from '@tcptrail/consumer/migrate/migrate.ts';
import { type ClickHouse, createClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { withBrokers } from '../kafka/settings.ts';
import { placesOf } from '../supervise/places.ts';
import { consumerVariables } from '../supervise/route.ts';
import { readRunFile } from '../supervise/run-file.ts';
import { openKafkaLetters } from './kafka-letters.ts';
import type { LetterBox } from './letters.ts';
import { openSpoolLetters } from './spool-letters.ts';

export interface DlqOptions {
  readonly config?: string;
  readonly brokers?: readonly string[];
  /** Folder of a spool. */
  readonly spool?: string;
  readonly url?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly database?: string;
}

export interface Dlq {
  readonly box: LetterBox;
  readonly clickhouse: ClickHouse;
}

/** Runs `use` with both, and ends them. Throws CONFIG_*, KAFKA_*, CLICKHOUSE_*. */
export async function withDlq<T>(options: DlqOptions, use: (dlq: Dlq) => Promise<T>): Promise<T> {
  const config = loadConfig(CONSUMER_CONFIG, {
    part: 'consumer',
    file: options.config,
    env: { ...process.env, ...running(options), ...given(options) },
  });
  const { group, ...kafka } = config.kafka;
  const clickhouse = createClickHouse(config.clickhouse);
  try {
    // The table of outcomes may be younger than the consumer that runs.
    if (config.migrate) await migrate(clickhouse);
    const box =
      config.transport === 'kafka'
        ? await openKafkaLetters(kafka, group)
        : openSpoolLetters(config.spool.path);
    return await use({ box, clickhouse });
  } finally {
    await clickhouse.close();
  }
}

/** As the `up` of this host has it; nothing where a file, brokers or a folder is named. */
function running(options: DlqOptions): Environment {
  const isNamed = options.config ?? options.brokers ?? options.spool;
  const places = placesOf({ home: process.env['TCPTRAIL_HOME'], instance: 'default' });
  const run = isNamed === undefined ? readRunFile(places) : undefined;
  if (!run) return {};
  return {
    ...consumerVariables(run.route),
    TCPTRAIL_SPOOL_PATH: places.spool,
    ...(run.url ? { TCPTRAIL_CLICKHOUSE_URL: run.url } : {}),
  };
}

function given({ brokers, spool, url, user, passwordFile, database }: DlqOptions): Environment {
  const transport = brokers ? 'kafka' : spool ? 'spool' : undefined;
  const all: Environment = {
    TCPTRAIL_TRANSPORT: transport,
    TCPTRAIL_SPOOL_PATH: spool,
    TCPTRAIL_CLICKHOUSE_URL: url,
    TCPTRAIL_CLICKHOUSE_USERNAME: user,
    TCPTRAIL_CLICKHOUSE_PASSWORD_FILE: passwordFile,
    TCPTRAIL_CLICKHOUSE_DATABASE: database,
    ...withBrokers({}, brokers),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
