/** Options that every `tcptrail topic` command has. */
import type { Environment } from '@tcptrail/config/environment.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { planTopics, type TopicPlan } from '@tcptrail/kafka/topics.ts';
import { type KafkaSettings, loadKafka } from '../kafka/settings.ts';
import { placesOf } from '../supervise/places.ts';
import { kafkaVariables } from '../supervise/route.ts';
import { readRunFile } from '../supervise/run-file.ts';

export interface TopicOptions {
  readonly config?: string;
  readonly brokers?: readonly string[];
}

const FOLDER = '/etc/tcptrail';

/** What an `up` of this host decided about its Kafka; nothing where the environment names another. */
function running(env: Environment): Environment {
  const places = placesOf({ home: env['TCPTRAIL_HOME'], instance: 'default' });
  const run = env['TCPTRAIL_KAFKA_BROKERS'] === undefined ? readRunFile(places) : undefined;
  return run ? kafkaVariables(run.route) : {};
}

export interface TopicSource extends KafkaSettings {
  /** The events topic first. */
  readonly plans: readonly TopicPlan[];
}

/** Throws CONFIG_* with exit code 2. */
export function topicSource(options: TopicOptions): TopicSource {
  const { config: file, brokers } = options;
  const isNamed = file !== undefined || brokers !== undefined;
  const env = isNamed ? process.env : { ...process.env, ...running(process.env) };
  const settings = loadKafka({ file, folder: FOLDER, brokers, env });
  return { ...settings, plans: planTopics(settings.kafka) };
}

export const placeOf = ({ brokers }: Pick<KafkaConfig, 'brokers'>): string => brokers.join(', ');
