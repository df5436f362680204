/** The consumer's configuration, for commands that work where it does: same Kafka or spool, same ClickHouse. */
import type { Environment } from '@tcptrail/config/environment.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import { CONSUMER_CONFIG, type ConsumerConfig } from '@tcptrail/consumer/config.ts';
import { withBrokers } from './kafka/settings.ts';
import { placesOf } from './supervise/places.ts';
import { consumerVariables } from './supervise/route.ts';
import { readRunFile } from './supervise/run-file.ts';

export interface ConsumerOptions {
  readonly config?: string;
  readonly brokers?: readonly string[];
  /** Folder of a spool. */
  readonly spool?: string;
  readonly url?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly database?: string;
  readonly cluster?: string;
}

/** Options, then TCPTRAIL_*, then what runs on this host, then its file. Throws CONFIG_*. */
export function consumerSettings(options: ConsumerOptions): ConsumerConfig {
  return loadConfig(CONSUMER_CONFIG, {
    part: 'consumer',
    file: options.config,
    env: { ...process.env, ...running(options), ...given(options) },
  });
}

/** As the `up` of this host has it; nothing where a file, brokers or a folder is named. */
function running(options: ConsumerOptions): Environment {
  const isNamed = options.config ?? options.brokers ?? options.spool;
  const places = placesOf({ home: process.env['TCPTRAIL_HOME'], instance: 'default' });
  const run = isNamed === undefined ? readRunFile(places) : undefined;
  if (!run) return {};
  return {
    ...consumerVariables(run.route),
    TCPTRAIL_SPOOL_PATH: places.spool,
    ...(run.url ? onlyAt(run.url) : {}),
  };
}

/** Further addresses of the file are of the ClickHouse that the file names. */
const onlyAt = (url: string): Environment => ({
  TCPTRAIL_CLICKHOUSE_URL: url,
  TCPTRAIL_CLICKHOUSE_FALLBACK_URLS: '',
});

function given({ brokers, spool, url, user, passwordFile, database, cluster }: ConsumerOptions): Environment {
  const transport = brokers ? 'kafka' : spool ? 'spool' : undefined;
  const all: Environment = {
    TCPTRAIL_TRANSPORT: transport,
    TCPTRAIL_SPOOL_PATH: spool,
    ...(url === undefined ? {} : onlyAt(url)),
    TCPTRAIL_CLICKHOUSE_USERNAME: user,
    TCPTRAIL_CLICKHOUSE_PASSWORD_FILE: passwordFile,
    TCPTRAIL_CLICKHOUSE_DATABASE: database,
    TCPTRAIL_CLICKHOUSE_CLUSTER: cluster,
    ...withBrokers({}, brokers),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
