import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Admin, withAdmin } from '@tcptrail/kafka/admin.ts';
import { kafkaKeys } from '@tcptrail/kafka/config.ts';
import { createTopics, planTopics } from '@tcptrail/kafka/topics.ts';
import { grant, sectionOf } from '../../kafka/test/grants.ts';
import { startKafka, type TestKafka } from '../../test/harness/kafka.ts';
import { type Ended, isOneSentence, run } from './run-command.ts';
import { until } from './until.ts';

const folder = mkdtempSync(join(tmpdir(), 'tcptrail-topic-'));
let open: TestKafka;
let closed: TestKafka;
before(async () => {
  [open, closed] = await Promise.all([startKafka(), startKafka({ sasl: true })]);
});
after(async () => {
  await Promise.all([open?.stop(), closed?.stop()]);
  rmSync(folder, { recursive: true });
});

/** YAML is a superset of JSON. */
function config(name: string, tree: object): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(tree));
  return file;
}

const topic = (...args: readonly string[]): Promise<Ended> => run(['topic', ...args]);
const onOpen = (...args: readonly string[]): Promise<Ended> =>
  topic(...args, '--brokers', open.brokers.join(','));
const asAdmin = <T>(use: (admin: Admin) => Promise<T>): Promise<T> =>
  withAdmin(kafkaKeys.parse({ brokers: open.brokers }), use);

interface Line {
  readonly topic: string;
  readonly messages: number;
  readonly settings: Readonly<Record<string, string>> | null;
  readonly differences: readonly { readonly setting: string }[];
  readonly group: { readonly lag: number; readonly members: readonly string[] } | null;
  readonly partitions: readonly { readonly partition: number; readonly newest: number | null }[];
}
const linesOf = ({ stdout }: Ended): readonly Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

test('describe names the topic that is missing and how to make it, exit code 1', async () => {
  const ended = await onOpen('describe');
  assert.equal(ended.code, 1);
  assert.equal(ended.stdout, '');
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  assert.match(ended.stderr, /topic tcptrail\.events is not there; run 'tcptrail topic create'/);
});

test('create makes both topics as documented, once', async () => {
  const first = await onOpen('create');
  assert.equal(first.code, 0, first.stderr);
  assert.equal(
    first.stdout,
    `✔ made topic tcptrail.events at ${open.brokers}: 12 partitions, the brokers' replication factor, kept for 7 d 00 h\n` +
      `✔ made topic tcptrail.dead_letter at ${open.brokers}: 1 partition, the brokers' replication factor, kept for 30 d 00 h\n`,
  );
  const second = await onOpen('create');
  assert.equal(second.code, 0, second.stderr);
  assert.equal(
    second.stdout,
    '✔ topic tcptrail.events is there: 12 partitions, as planned\n✔ topic tcptrail.dead_letter is there: 1 partition, as planned\n',
  );
});

test('create says how a topic differs from the plan and with which command that is changed', async () => {
  const file = config('consumer.yaml', {
    kafka: { brokers: open.brokers, topic: { partitions: 24, retentionMs: 3_600_000, create: false } },
  });
  const ended = await topic('create', '--config', file);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(
    ended.stdout,
    /^! topic tcptrail\.events: partitions is 12, planned 24; retention\.ms is 604800000, planned 3600000; kafka-topics --bootstrap-server \S+ --alter --topic tcptrail\.events --partitions 24 && kafka-configs --bootstrap-server \S+ --alter --entity-type topics --entity-name tcptrail\.events --add-config retention\.ms=3600000$/m,
  );
});

test('describe tells settings, messages and how far the group is behind', async () => {
  await asAdmin(async (admin) => {
    const ends = await admin.fetchTopicOffsets('tcptrail.events');
    assert.equal(ends.length, 12);
    await admin.setOffsets({
      groupId: 'tcptrail-consumer',
      topic: 'tcptrail.events',
      partitions: [{ partition: 0, offset: '0' }],
    });
  });
  const ended = await onOpen('describe', '--json');
  assert.equal(ended.code, 0, ended.stderr);
  const [events, letters] = linesOf(ended);
  assert.equal(events?.topic, 'tcptrail.events');
  assert.equal(events?.settings?.['message.timestamp.type'], 'LogAppendTime');
  assert.deepEqual(events?.differences, []);
  assert.equal(events?.partitions.length, 12);
  assert.deepEqual(events?.group?.members, []);
  assert.equal(events?.group?.lag, 0);
  assert.equal(letters?.topic, 'tcptrail.dead_letter');
  assert.equal(letters?.group, null);
  const text = await onOpen('describe');
  assert.match(text.stdout, /^topic tcptrail\.events: 12 partitions, 1 replica, all in sync, 0 messages$/m);
  assert.match(text.stdout, /^group tcptrail-consumer: Empty, 0 members, 0 messages behind$/m);
  assert.match(text.stdout, /^partition {2}leader {2}replicas {2}in sync {2}oldest {2}newest {2}messages/m);
});

test('an agent.yaml will do, whatever its name', async () => {
  const tree = { publish: { enabled: true }, kafka: { brokers: open.brokers } };
  for (const name of ['agent.yaml', 'host.yaml']) {
    const ended = await topic('describe', '--json', '--config', config(name, tree));
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(linesOf(ended).length, 2);
  }
});

test('an unknown key is named with exit code 2', async () => {
  const ended = await topic('describe', '--config', config('consumer.yaml', { kafka: { broker: 'x' } }));
  assert.equal(ended.code, 2);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  assert.match(ended.stderr, /unknown key kafka\.broker .*did you mean kafka\.brokers\?/);
});

test('a Kafka that does not answer is one sentence with exit code 1', async () => {
  for (const command of ['describe', 'create']) {
    const ended = await topic(command, '--brokers', '127.0.0.1:1');
    assert.equal(ended.code, 1);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
    assert.match(ended.stderr, /Kafka does not answer at 127\.0\.0\.1:1 \(ECONNREFUSED\); start it/);
  }
});

const login = (password: string): string =>
  config('consumer.yaml', {
    kafka: {
      brokers: closed.brokers,
      sasl: { mechanism: 'scram-sha-512', username: 'tcptrail', password },
    },
  });

test('a wrong password is one sentence with exit code 1, and shows nowhere', async () => {
  for (const command of ['describe', 'create']) {
    const ended = await topic(command, '--config', login('not-this-one'));
    assert.equal(ended.code, 1);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
    assert.match(ended.stderr, /refuses user "tcptrail" with scram-sha-512; set kafka\.sasl/);
    assert.doesNotMatch(ended.stderr, /not-this-one/);
  }
});

test('a right that is missing is named with the command that grants it, exit code 1', async () => {
  for (const command of ['describe', 'create']) {
    const ended = await topic(command, '--config', login(closed.passwords.tcptrail));
    assert.equal(ended.code, 1);
    assert.ok(isOneSentence(ended.stderr), ended.stderr);
    assert.match(
      ended.stderr,
      /Kafka user "tcptrail" has no right to describe topic tcptrail\.events; grant it: kafka-acls --bootstrap-server \S+ --add --allow-principal User:tcptrail --topic tcptrail\.events --operation Describe/,
    );
  }
});

test('what needs a further right is left out of describe and said, exit code 1', async () => {
  const admin = sectionOf(closed, 'admin');
  await withAdmin(admin, (connected) => createTopics(connected, admin, planTopics(admin)));
  for (const name of ['tcptrail.events', 'tcptrail.dead_letter'])
    await grant(closed, { resource: 'TOPIC', name, operation: 'DESCRIBE' });
  const file = login(closed.passwords.tcptrail);
  const ended = await until('the broker to hear of it', async () => {
    const tried = await topic('describe', '--json', '--config', file);
    return /no right to describe topic/.test(tried.stderr) ? undefined : tried;
  });
  assert.equal(ended.code, 1);
  const [events] = linesOf(ended);
  assert.equal(events?.settings, null);
  assert.equal(events?.group, null);
  assert.match(ended.stderr, /no right to read the settings of topic tcptrail\.events; .*DescribeConfigs/);
  assert.match(
    ended.stderr,
    /broker of group tcptrail-consumer; .*--group tcptrail-consumer --operation Read/,
  );
  const created = await topic('create', '--config', file);
  assert.equal(created.code, 0, created.stderr);
  assert.match(created.stdout, /^✔ topic tcptrail\.events is there: 12 partitions\n! Kafka user/);
});
