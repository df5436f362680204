import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import kafkajs, { type Kafka } from 'kafkajs';
import { TEST_PASSWORDS } from '../src/config.ts';
import type { Address } from '../src/kafka.ts';
import { createClient, eventually, runToEnd, startMain, temporaryFolder, withAdmin } from './running.ts';

// Not named exports: Node.js finds only some of them in a CommonJS module.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const folder = temporaryFolder();
const kafka = await startMain(['--data', folder, '--port', '0', '--sasl']);

type Mechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

function clientOf(
  address: Address,
  username: string,
  password: string,
  mechanism: Mechanism = 'plain',
): Kafka {
  // kafkajs' type wants to see one mechanism, not one of three.
  const sasl = { mechanism, username, password } as {
    mechanism: 'plain';
    username: string;
    password: string;
  };
  return createClient(address, { sasl, retry: {} });
}

const admin = clientOf(kafka, 'admin', TEST_PASSWORDS.admin);
const tcptrail = clientOf(kafka, 'tcptrail', TEST_PASSWORDS.tcptrail);
const create = (client: Kafka, topic: string): Promise<boolean> =>
  withAdmin(client, (connected) => connected.createTopics({ topics: [{ topic }] }));

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
  test(`${mechanism} lets both users in with their passwords and refuses a wrong one`, async () => {
    for (const user of ['admin', 'tcptrail'] as const) {
      await withAdmin(clientOf(kafka, user, TEST_PASSWORDS[user], mechanism), async () => {});
      await assert.rejects(
        withAdmin(clientOf(kafka, user, 'wrong', mechanism), async () => {}),
        { name: 'KafkaJSSASLAuthenticationError' },
      );
    }
  });
}

test('nobody comes in without a password', async () => {
  await assert.rejects(withAdmin(createClient(kafka), (connected) => connected.listTopics()));
});

test('admin may do everything, tcptrail nothing until it is granted', async () => {
  await create(admin, 'ours');
  await assert.rejects(
    create(tcptrail, 'theirs'),
    (error: { errors?: { type: string }[]; type?: string }) => {
      assert.equal(error.errors?.[0]?.type ?? error.type, 'TOPIC_AUTHORIZATION_FAILED');
      return true;
    },
  );
  const send = async (): Promise<void> => {
    const producer = tcptrail.producer();
    await producer.connect();
    try {
      await producer.send({ topic: 'ours', messages: [{ value: 'v' }] });
    } finally {
      await producer.disconnect();
    }
  };
  await assert.rejects(send(), { message: /Topic authorization failed/ });
  await withAdmin(admin, (connected) =>
    connected.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: 'ours',
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: 'User:tcptrail',
          host: '*',
          operation: AclOperationTypes.WRITE,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    }),
  );
  // The controller has the grant when it answers; the broker hears of it soon after.
  await eventually(send);
});

test('transactions, for which the broker speaks to itself, work', async () => {
  const producer = admin.producer({ transactionalId: 'x', idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  await create(admin, 'transactional');
  const transaction = await producer.transaction();
  await transaction.send({ topic: 'transactional', messages: [{ value: 'v' }] });
  await transaction.commit();
  // A second one begins only when the markers of the first are written.
  const next = await producer.transaction();
  await next.send({ topic: 'transactional', messages: [{ value: 'v' }] });
  await next.commit();
  await producer.disconnect();
});

test('other passwords than the first ones, and a folder made without them, are refused', async () => {
  // What formatting leaves, as far as the users go.
  const other = temporaryFolder();
  mkdirSync(join(other, 'log'));
  assert.deepEqual(await runToEnd(['--data', other, '--port', '0', '--sasl']), {
    status: 2,
    said: `local-kafka: data folder ${other} was made without --sasl: choose another --data folder\n`,
  });
  copyFileSync(join(folder, 'log/tcptrail-users.json'), join(other, 'log/tcptrail-users.json'));
  const env = { TCPTRAIL_KAFKA_PASSWORD: 'another' };
  assert.deepEqual(await runToEnd(['--data', other, '--port', '0', '--sasl'], env), {
    status: 2,
    said: `local-kafka: data folder ${other} has users with other passwords: give those, or choose another --data folder\n`,
  });
});
