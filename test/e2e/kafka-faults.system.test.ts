/** What may go wrong with Kafka: told in one line, and nothing is lost. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { createFleet, type Fleet, type FleetOptions } from '../harness/fleet.ts';
import { runLoad } from '../harness/load.ts';
import { until } from '../harness/until.ts';
import { assertSameLines, sidesStored, sidesTrue } from './sides.ts';

const OUTAGE_MS = process.env['TCPTRAIL_TEST_LONG'] ? 60_000 : 3_000;

let fleet: Fleet | undefined;
afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
});

async function oneOfEach(options: Partial<FleetOptions> = {}): Promise<Fleet> {
  fleet = await createFleet({ agents: 1, consumers: 1, ...options });
  return fleet;
}

const parts = ({ agents: [agent], consumers: [consumer] }: Fleet) => {
  assert.ok(agent && consumer);
  return { agent, consumer };
};

async function start(on: Fleet): Promise<void> {
  const { agent, consumer } = parts(on);
  consumer.start();
  await agent.start();
}

/** Stops the agent, waits until all it spooled is stored, and compares with what the load says. */
async function assertNothingLost(on: Fleet, truths: Awaited<ReturnType<typeof runLoad>>): Promise<void> {
  const { agent } = parts(on);
  await until('everything spooled to be published', () => agent.isRead('kafka'), 120_000);
  await agent.part.end('SIGINT');
  await until('everything published to be stored', () => on.caughtUp(), 120_000);
  const look = { executable: false };
  assertSameLines(await sidesStored(on.rows, truths, look), sidesTrue(truths, look));
  for (const row of await on.rows<Record<string, unknown>>('SELECT * FROM completeness'))
    assert.equal(row['verdict'], 'complete', JSON.stringify(row));
}

test('Kafka that does not answer at the start is named with its address, and what is recorded meanwhile is stored', async () => {
  const on = await oneOfEach();
  await on.kafka.kill();
  await start(on);
  const { agent, consumer } = parts(on);
  const sentence = `Kafka does not answer at ${on.kafka.brokers[0]} (ECONNREFUSED); start it, or set kafka.brokers`;
  await agent.part.said(`${sentence}; batches wait in the spool`);
  await consumer.part.said(`${sentence}; trying again`);
  const truths = await runLoad({ count: 100, refused: 5, seed: 1 });
  await on.kafka.start();
  await assertNothingLost(on, truths);
});

test(`Kafka that is gone for ${OUTAGE_MS / 1000} s costs nothing but time`, async () => {
  const on = await oneOfEach();
  await start(on);
  const { agent } = parts(on);
  await until('the first batches to be stored', async () => agent.isRead('kafka') && (await on.caughtUp()));
  const load = runLoad({ count: 1_000, refused: 50, seed: 2, pauseMs: 10 });
  await on.kafka.kill();
  await sleep(OUTAGE_MS);
  await on.kafka.start();
  await assertNothingLost(on, await load);
  assert.match(agent.part.output(), /does not answer.*batches wait in the spool/);
  assert.equal(
    agent.part.output().match(/publishing to/g)?.length,
    2,
    'once at the start, once after the outage',
  );
});

test('a missing topic that may not be made is named with the remedy, and is used when somebody made it', async () => {
  const on = await oneOfEach({ section: { topic: { create: false } } });
  await start(on);
  const { agent, consumer } = parts(on);
  const sentence = "is not there; run 'tcptrail topic create', or set kafka.topic.create: true";
  await agent.part.said(`topic tcptrail.events ${sentence}`);
  await consumer.part.said(`topic tcptrail.events ${sentence}`);
  const truths = await runLoad({ count: 100, refused: 5, seed: 3 });
  await withAdmin(on, (admin) =>
    admin.createTopics({ topics: [{ topic: 'tcptrail.events' }, { topic: 'tcptrail.dead_letter' }] }),
  );
  await assertNothingLost(on, truths);
});

test('a batch larger than the topic takes goes in parts, each row stored once', async () => {
  const on = await oneOfEach({ agent: { batch: { flushMs: 3_000 } } });
  await withAdmin(on, (admin) =>
    admin.createTopics({
      topics: [
        { topic: 'tcptrail.events', configEntries: [{ name: 'max.message.bytes', value: '3000' }] },
        { topic: 'tcptrail.dead_letter' },
      ],
    }),
  );
  await start(on);
  const { agent } = parts(on);
  const truths = await runLoad({ count: 500, refused: 5, seed: 4 });
  await agent.part.said('topic tcptrail.events takes no batch of this size, so it goes in parts of at most');
  await assertNothingLost(on, truths);
  const [split] = await on.rows<{ parts: string; batches: string }>(
    'SELECT countIf(batch_part > 1) AS parts, uniqIf(batch_seq, batch_part > 1) AS batches FROM tcp_batches',
  );
  assert.ok(
    Number(split?.parts) >= 2 * Number(split?.batches) && Number(split?.batches) > 0,
    JSON.stringify(split),
  );
});

test('a user without rights is named with the right to grant, goes on when it is granted, and waits when it is taken away', async () => {
  const on = await oneOfEach({ kafka: { sasl: true }, section: { topic: { create: false } } });
  await withAdmin(on, (admin) =>
    admin.createTopics({ topics: [{ topic: 'tcptrail.events' }, { topic: 'tcptrail.dead_letter' }] }),
  );
  await start(on);
  const { agent, consumer } = parts(on);
  await agent.part.said('Kafka user \\"tcptrail\\" has no right to');
  await consumer.part.said('Kafka user \\"tcptrail\\" has no right to');
  const first = await runLoad({ count: 100, refused: 5, seed: 5 });
  const write = right(AclResourceTypes.TOPIC, 'tcptrail.events', AclOperationTypes.WRITE);
  const rights = [
    write,
    right(AclResourceTypes.TOPIC, 'tcptrail.events', AclOperationTypes.READ),
    right(AclResourceTypes.TOPIC, 'tcptrail.dead_letter', AclOperationTypes.WRITE),
    right(AclResourceTypes.GROUP, 'tcptrail-consumer', AclOperationTypes.READ),
  ];
  await withAdmin(on, (admin) => admin.createAcls({ acl: rights }));
  await agent.part.said('publishing to');
  await withAdmin(on, (admin) => admin.deleteAcls({ filters: [write] }));
  await agent.part.said('has no right to write topic tcptrail.events; grant it: kafka-acls');
  const second = await runLoad({ count: 100, refused: 5, seed: 6 });
  await withAdmin(on, (admin) => admin.createAcls({ acl: [write] }));
  await assertNothingLost(on, [...first, ...second]);
});

test('a wrong password is named with the user, and nothing is lost until its file is mended', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-password-'));
  try {
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, 'wrong');
    const on = await oneOfEach({
      kafka: { sasl: true, set: { 'allow.everyone.if.no.acl.found': 'true' } },
      section: { sasl: { mechanism: 'scram-sha-512', username: 'tcptrail', passwordFile } },
    });
    await start(on);
    const { agent, consumer } = parts(on);
    const sentence =
      'refuses user \\"tcptrail\\" with scram-sha-512; set kafka.sasl.mechanism, username and passwordFile';
    await agent.part.said(sentence);
    await consumer.part.said(sentence);
    const truths = await runLoad({ count: 100, refused: 5, seed: 7 });
    writeFileSync(passwordFile, on.kafka.passwords.tcptrail);
    await assertNothingLost(on, truths);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** Of the user of agent and consumer. */
const right = (resourceType: number, resourceName: string, operation: number) => ({
  resourceType,
  resourceName,
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal: 'User:tcptrail',
  host: '*',
  operation,
  permissionType: AclPermissionTypes.ALLOW,
});

type Admin = ReturnType<Fleet['admin']['admin']>;

async function withAdmin<T>(on: Fleet, act: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = on.admin.admin();
  try {
    await admin.connect();
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
}
