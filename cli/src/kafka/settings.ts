/** Where commands take their Kafka settings from: the `kafka` section of a part's configuration. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AGENT_CONFIG } from '@tcptrail/agent/config.ts';
import type { Environment } from '@tcptrail/config/environment.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import { CONSUMER_CONFIG } from '@tcptrail/consumer/config.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';

export interface KafkaSource {
  /** Of either part; undefined: the first of consumer.yaml and agent.yaml in `folder`, else the defaults. */
  readonly file: string | undefined;
  readonly folder: string;
  /** Over everything. */
  readonly brokers: readonly string[] | undefined;
  readonly env: Environment;
}

export interface KafkaSettings {
  readonly kafka: KafkaConfig;
  /** Consumer group. */
  readonly group: string;
}

/** Throws CONFIG_* with exit code 2. */
export function loadKafka(source: KafkaSource): KafkaSettings {
  const file = source.file ?? firstOf(source.folder);
  const env = withBrokers(source.env, source.brokers);
  const asAgent = (): KafkaSettings => ({
    kafka: loadConfig(AGENT_CONFIG, { part: 'agent', file, required: true, env }).kafka,
    // An agent knows no group: the consumer's, unless the environment says otherwise.
    group: asConsumer('').group,
  });
  const asConsumer = (read: string): KafkaSettings => {
    const part = { part: 'consumer', file: read, required: read !== '', env };
    const { group, ...kafka } = loadConfig(CONSUMER_CONFIG, part).kafka;
    return { kafka, group };
  };
  if (file === undefined) return asConsumer('');
  const isNamedAgent = basename(file).includes('agent');
  const [first, other] = isNamedAgent ? [asAgent, () => asConsumer(file)] : [() => asConsumer(file), asAgent];
  return either(first, other);
}

/** A file of either part will do; what is wrong with it is told as of the part that its name says. */
function either<T>(first: () => T, other: () => T): T {
  try {
    return first();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CONFIG_UNKNOWN_KEY') throw error;
    try {
      return other();
    } catch {
      throw error;
    }
  }
}

export function withBrokers(env: Environment, brokers: readonly string[] | undefined): Environment {
  return brokers === undefined ? env : { ...env, TCPTRAIL_KAFKA_BROKERS: brokers.join(',') };
}

function firstOf(folder: string): string | undefined {
  return ['consumer.yaml', 'agent.yaml'].map((name) => join(folder, name)).find((file) => existsSync(file));
}
