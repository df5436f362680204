/** Kafka, as the agent and the consumer of this host use it. */
import { type Admin, withAdmin } from '@tcptrail/kafka/admin.ts';
import type { KafkaConfig } from '@tcptrail/kafka/config.ts';
import { userOf } from '@tcptrail/kafka/user.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { KafkaUse } from '../kafka/use.ts';
import { plural } from '../terminal/human.ts';
import { type Check, fail, ok, refused } from './check.ts';
import { deadLetterCheck, groupCheck } from './kafka-group.ts';
import { rightsChecks } from './kafka-rights.ts';
import { messageSizeCheck, topicChecks } from './kafka-topics.ts';

/** Checks of one connection: both parts' where they say the same of Kafka. */
export interface Side {
  readonly kafka: KafkaConfig;
  readonly agent: KafkaUse['agent'];
  readonly consumer: KafkaUse['consumer'];
}

/** None when Kafka is not in use. */
export async function kafkaChecks(use: KafkaUse): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const side of sidesOf(use)) checks.push(...(await sideChecks(side)));
  return checks;
}

function sidesOf({ agent, consumer }: KafkaUse): readonly Side[] {
  const section = (part: { readonly kafka: KafkaConfig }): KafkaConfig => {
    const { brokers, clientId, tls, sasl, topic } = part.kafka;
    return { brokers, clientId, tls, sasl, topic };
  };
  if (agent && consumer && JSON.stringify(section(agent)) === JSON.stringify(section(consumer)))
    return [{ kafka: section(agent), agent, consumer }];
  return [
    ...(agent ? [{ kafka: section(agent), agent, consumer: undefined }] : []),
    ...(consumer ? [{ kafka: section(consumer), agent: undefined, consumer }] : []),
  ];
}

async function sideChecks(side: Side): Promise<readonly Check[]> {
  const { kafka } = side;
  const place = kafka.brokers.join(', ');
  try {
    return await withAdmin(kafka, (admin) => connectedChecks(admin, side));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (!['KAFKA_LOGIN_REFUSED', 'KAFKA_TOKEN'].includes(error.code)) return [refused('Kafka', error)];
    return [ok('Kafka', `answers at ${place}`), refused('Kafka login', error)];
  }
}

async function connectedChecks(admin: Admin, side: Side): Promise<readonly Check[]> {
  const { kafka, agent, consumer } = side;
  const checks = [await clusterCheck(admin, kafka), loginCheck(kafka)];
  const topics = await topicChecks(admin, side);
  checks.push(...topics.checks);
  if (!topics.isThere) return checks;
  checks.push(...(await rightsChecks(admin, side)));
  if (agent && topics.messageBytesMax !== undefined)
    checks.push(messageSizeCheck({ ...agent.batch, messageBytesMax: topics.messageBytesMax }));
  if (consumer)
    checks.push(await groupCheck(admin, kafka, consumer.kafka.group), await deadLetterCheck(admin, kafka));
  return checks;
}

/** The brokers tell their cluster, not their version. */
async function clusterCheck(admin: Admin, kafka: KafkaConfig): Promise<Check> {
  const { brokers, clusterId, controller } = await admin.describeCluster();
  const found = `${plural(brokers.length, 'broker')} at ${kafka.brokers.join(', ')}, cluster ${clusterId}, controller ${controller ?? 'none'}`;
  if (controller !== null && brokers.length > 0) return ok('Kafka', found);
  return fail('Kafka', found, "see the brokers' logs: topics cannot be made or led without a controller");
}

function loginCheck({ sasl, tls }: KafkaConfig): Check {
  const way = tls.enabled ? 'over TLS' : 'without TLS';
  const who =
    sasl.mechanism === 'none'
      ? 'without a user: the listener asks for none'
      : `user "${userOf(sasl)}" by ${sasl.mechanism}`;
  return ok('Kafka login', `${who}, ${way}`);
}
