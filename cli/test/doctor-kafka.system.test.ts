import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { withAdmin } from '@tcptrail/kafka/admin.ts';
import { createKafka } from '@tcptrail/kafka/client.ts';
import { createTopics, planTopics } from '@tcptrail/kafka/topics.ts';
import { grant, sectionOf } from '../../kafka/test/grants.ts';
import { startKafka, type TestKafka } from '../../test/harness/kafka.ts';
import { run } from './run-command.ts';
import { until } from './until.ts';

interface Told {
  readonly name: string;
  readonly status: string;
  readonly found: string;
  readonly remedy: string;
}

const home = mkdtempSync(join(tmpdir(), 'tcptrail-doctor-'));
let kafka: TestKafka;
before(async () => {
  mkdirSync(join(home, 'config'));
  kafka = await startKafka({ sasl: true });
});
after(async () => {
  await kafka?.stop();
  rmSync(home, { recursive: true });
});

/** Checks about Kafka by name; those of the host are other tests'. */
async function doctor(...args: readonly string[]): Promise<ReadonlyMap<string, Told>> {
  const ended = await run(['doctor', '--json', '--home', home, '--url', 'http://127.0.0.1:1', ...args]);
  assert.equal(ended.stderr, '');
  const lines = ended.stdout.trim().split('\n');
  return new Map(lines.map((line) => JSON.parse(line) as Told).map((told) => [told.name, told]));
}

interface Login {
  readonly username: 'admin' | 'tcptrail';
  readonly password?: string;
}

/** Both parts' configuration, each as its user. YAML is a superset of JSON. */
function configure(parts: {
  readonly agent?: Login;
  readonly consumer?: Login;
  readonly batch?: object;
}): void {
  const section = ({ username, password = kafka.passwords[username] }: Login): object => ({
    brokers: kafka.brokers,
    sasl: { mechanism: 'scram-sha-256', username, password },
  });
  const agent = parts.agent
    ? {
        publish: { enabled: true },
        kafka: section(parts.agent),
        ...(parts.batch ? { batch: parts.batch } : {}),
      }
    : {};
  const consumer = parts.consumer ? { transport: 'kafka', kafka: section(parts.consumer) } : {};
  writeFileSync(join(home, 'config/agent.yaml'), JSON.stringify(agent));
  writeFileSync(join(home, 'config/consumer.yaml'), JSON.stringify(consumer));
}

test('a host that does not use Kafka is not asked about it', async () => {
  configure({});
  const checks = await doctor();
  assert.equal(checks.has('Kafka'), false);
});

test('brokers that were given and do not answer are a failure with its remedy', async () => {
  const checks = await doctor('--brokers', '127.0.0.1:1');
  assert.equal(checks.get('Kafka')?.status, 'fail');
  assert.match(checks.get('Kafka')?.found ?? '', /does not answer at 127\.0\.0\.1:1/);
  assert.match(checks.get('Kafka')?.remedy ?? '', /start it/);
});

test('a wrong password is a failure of the login, not of Kafka', async () => {
  configure({ agent: { username: 'tcptrail', password: 'wrong' } });
  const checks = await doctor();
  assert.equal(checks.get('Kafka')?.status, 'ok');
  assert.equal(checks.get('Kafka login')?.status, 'fail');
  assert.match(checks.get('Kafka login')?.remedy ?? '', /kafka\.sasl/);
});

test('topics that are missing are a warning where they may be made', async () => {
  configure({ agent: { username: 'admin' }, consumer: { username: 'admin' } });
  const checks = await doctor();
  assert.equal(checks.get('Kafka')?.status, 'ok');
  assert.match(checks.get('Kafka login')?.found ?? '', /user "admin" by scram-sha-256, without TLS/);
  assert.equal(checks.get('events topic')?.status, 'warn');
  assert.match(checks.get('events topic')?.remedy ?? '', /tcptrail topic create/);
});

test('a user without rights fails by the right it lacks', async () => {
  const admin = sectionOf(kafka, 'admin');
  await withAdmin(admin, (connected) => createTopics(connected, admin, planTopics(admin)));
  configure({ agent: { username: 'tcptrail' } });
  const before = await doctor();
  assert.equal(before.get('events topic')?.status, 'fail');
  assert.match(before.get('events topic')?.remedy ?? '', /kafka-acls .*--operation Describe$/);
  await grant(kafka, { resource: 'TOPIC', name: 'tcptrail.events', operation: 'DESCRIBE' });
  const after = await until('the broker to hear of it', async () => {
    const checks = await doctor();
    return checks.get('events topic')?.status === 'ok' && checks;
  });
  assert.equal(after.get('events settings')?.status, 'warn');
  assert.equal(after.get('rights of the agent')?.status, 'fail');
  assert.match(after.get('rights of the agent')?.remedy ?? '', /kafka-acls .*--operation Write$/);
  assert.equal(after.has('rights of the consumer'), false);
});

test('the right to write is found without writing', async () => {
  await grant(kafka, { resource: 'TOPIC', name: 'tcptrail.events', operation: 'WRITE' });
  const checks = await until('the broker to hear of it', async () => {
    const found = await doctor();
    return found.get('rights of the agent')?.status === 'ok' && found;
  });
  assert.equal(checks.get('rights of the agent')?.found, 'may describe and write tcptrail.events');
});

test('agent and consumer with users of their own are checked each as its own', async () => {
  configure({ agent: { username: 'tcptrail' }, consumer: { username: 'admin' } });
  const checks = await doctor();
  assert.equal(checks.get('rights of the agent')?.status, 'ok');
  assert.equal(checks.get('rights of the consumer')?.status, 'ok');
  assert.match(checks.get('rights of the consumer')?.found ?? '', /reading was not tried/);
});

test('a group that nobody is in is a warning, and so are dead letters and messages behind', async () => {
  const admin = sectionOf(kafka, 'admin');
  const producer = createKafka(admin).producer();
  await producer.connect();
  await producer.send({ topic: admin.topic.deadLetter, messages: [{ value: 'x' }] });
  await producer.send({ topic: admin.topic.events, messages: [{ value: 'x' }, { value: 'y' }] });
  await producer.disconnect();
  configure({ consumer: { username: 'admin' } });
  const checks = await doctor();
  assert.equal(checks.get('consumer group')?.status, 'warn');
  assert.equal(
    checks.get('consumer group')?.found,
    'tcptrail-consumer: 0 members, 2 messages behind: nobody reads',
  );
  assert.equal(checks.get('dead letters')?.status, 'warn');
  assert.match(checks.get('dead letters')?.found ?? '', /^1 message in tcptrail\.dead_letter/);
});

test('a topic that takes less than a batch is a warning: batches are split', async () => {
  configure({ agent: { username: 'admin' }, batch: { bytesMax: 8 * 1024 ** 2 } });
  const checks = await doctor();
  assert.equal(checks.get('message size')?.status, 'warn');
  assert.equal(
    checks.get('message size')?.found,
    'the topic takes 4.00 MiB compressed, a batch has up to 8.00 MiB uncompressed: batches that do not fit are split',
  );
});

test('a configuration that is wrong is a failure that names the key', async () => {
  writeFileSync(join(home, 'config/agent.yaml'), 'kafka: { broker: x }\n');
  const checks = await doctor();
  assert.equal(checks.get('configuration')?.status, 'fail');
  assert.match(checks.get('configuration')?.found ?? '', /unknown key kafka\.broker/);
});

test('what waits in the spool for Kafka is told, and that it may go twice', async () => {
  configure({});
  const name = '0000000000000001-00000001.avro';
  mkdirSync(join(home, 'spool/cursor'), { recursive: true });
  writeFileSync(join(home, 'spool', name), Buffer.alloc(100));
  const cursor = { segment: name, position: 40, bootId: 'b', partitions: {} };
  const file = join(home, 'spool/cursor/kafka.json');
  writeFileSync(file, JSON.stringify({ ...cursor, doubt: { segment: name, position: 100 } }));
  const checks = await doctor();
  assert.match(
    checks.get('spool')?.found ?? '',
    /spool: 60 B wait for Kafka; what was sent last may have arrived, and goes again, marked$/,
  );
  writeFileSync(file, JSON.stringify({ ...cursor, position: 100 }));
  assert.match((await doctor()).get('spool')?.found ?? '', /Kafka has everything$/);
});
