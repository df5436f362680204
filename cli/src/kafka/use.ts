/** Whether this host uses Kafka, and with whose settings: for `doctor`. */
import { AGENT_CONFIG, type AgentConfig } from '@tcptrail/agent/config.ts';
import type { Environment } from '@tcptrail/config/environment.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import { CONSUMER_CONFIG, type ConsumerConfig } from '@tcptrail/consumer/config.ts';
import type { Places } from '../supervise/places.ts';
import { agentVariables, consumerVariables } from '../supervise/route.ts';
import type { RunFile } from '../supervise/run-file.ts';
import { withBrokers } from './settings.ts';

/** Undefined for a part that does not use Kafka here. */
export interface KafkaUse {
  readonly agent: AgentConfig | undefined;
  readonly consumer: ConsumerConfig | undefined;
}

/** Throws CONFIG_*. */
export function kafkaUseOf(
  places: Pick<Places, 'agentConfig' | 'consumerConfig'>,
  asked: {
    readonly run: RunFile | undefined;
    readonly brokers: readonly string[] | undefined;
    readonly env: Environment;
  },
): KafkaUse {
  const { run, brokers } = asked;
  const env = withBrokers(asked.env, brokers);
  const agent = loadConfig(AGENT_CONFIG, {
    part: 'agent',
    file: places.agentConfig,
    required: false,
    env: { ...env, ...(run ? agentVariables(run.route) : {}), ...withBrokers({}, brokers) },
  });
  const consumer = loadConfig(CONSUMER_CONFIG, {
    part: 'consumer',
    file: places.consumerConfig,
    required: false,
    env: { ...env, ...(run ? consumerVariables(run.route) : {}), ...withBrokers({}, brokers) },
  });
  const isAsked = brokers !== undefined;
  return {
    agent: isAsked || agent.publish.enabled ? agent : undefined,
    consumer: isAsked || consumer.transport === 'kafka' ? consumer : undefined,
  };
}
