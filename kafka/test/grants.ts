/** Rights of the user `tcptrail` of a test's Kafka, given by its administrator. */
import kafkajs from 'kafkajs';
import type { TestKafka } from '../../test/harness/kafka.ts';
import { withAdmin } from '../src/admin.ts';
import { type KafkaConfig, kafkaKeys } from '../src/config.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

export type User = keyof TestKafka['passwords'];

/** The `kafka` section of `user`. */
export function sectionOf(kafka: TestKafka, user: User): KafkaConfig {
  const sasl = { mechanism: 'scram-sha-512', username: user, password: kafka.passwords[user] };
  return kafkaKeys.parse({ brokers: kafka.brokers, sasl });
}

export async function grant(
  kafka: TestKafka,
  right: {
    readonly resource: 'TOPIC' | 'GROUP';
    readonly name: string;
    readonly operation: 'READ' | 'WRITE' | 'DESCRIBE' | 'DESCRIBE_CONFIGS';
  },
): Promise<void> {
  const entry = {
    resourceType: AclResourceTypes[right.resource],
    resourceName: right.name,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: 'User:tcptrail',
    host: '*',
    operation: AclOperationTypes[right.operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
  await withAdmin(sectionOf(kafka, 'admin'), (admin) => admin.createAcls({ acl: [entry] }));
}
