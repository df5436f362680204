/** Each way to log in, for agent, consumer and doctor; and each way to be turned away, in one sentence. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { AGENT_CONFIG } from '@tcptrail/agent/config.ts';
import { createKafkaPublisher } from '@tcptrail/agent/publish/kafka.ts';
import { createBatcher } from '@tcptrail/consumer/batch/batcher.ts';
import { CONSUMER_CONFIG } from '@tcptrail/consumer/config.ts';
import { createKafkaTransport } from '@tcptrail/consumer/consume/kafka.ts';
import { createMetrics } from '@tcptrail/consumer/metrics.ts';
import { withAdmin } from '@tcptrail/kafka/admin.ts';
import { createKafka } from '@tcptrail/kafka/client.ts';
import { kafkaKeys } from '@tcptrail/kafka/config.ts';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import pino from 'pino';
import { kafkaChecks } from '../../cli/src/doctor/kafka.ts';
import { run } from '../../cli/test/run-command.ts';
import { AUDIENCE } from '../harness/token-server.ts';
import { until } from '../harness/until.ts';
import { createSpool, NOW_US } from '../spool-writer.ts';
import { type SecuredKafka, startSecuredKafka } from './secured-kafka.ts';

let on: SecuredKafka;
before(async () => {
  on = await startSecuredKafka();
});
after(() => on?.stop());

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const QUIET = pino({ level: 'silent' });
let runs = 0;

/** The agent's publisher on a spool; what it says of failures. */
function startPublisher(section: object) {
  const agentEpoch = NOW_US + ++runs;
  const spool = createSpool(undefined, agentEpoch);
  const told: string[] = [];
  const tell = (error: AppError): void => void told.push(`${error.code}: ${error.message}`);
  let messages = 0;
  const publisher = createKafkaPublisher(
    {
      kafka: kafkaKeys.parse({ topic: { partitions: 2 }, ...section }),
      spoolPath: spool.path,
      hostId: 'host-a',
      bootId: 'boot-1',
      agentEpoch,
      retryWaitMsMax: 1_000,
      replaySpeedMax: 0,
    },
    {
      published: (sent) => {
        messages += sent.messages;
      },
      publishFailed: tell,
      kafkaFileUnfit: tell,
      publishSplit() {},
      publishDamage() {},
      publishCursorDamaged() {},
      topicMade() {},
    },
  );
  publisher.start();
  stops.push(() => publisher.stop(5_000));
  const put = (): void => {
    spool.batch();
    publisher.wake();
  };
  return { agentEpoch, told, put, published: () => messages };
}

/** Batches that the consumer got of one run of an agent. */
async function startConsumer(section: object, agentEpoch: number) {
  const config = CONSUMER_CONFIG.parse({ kafka: section }).kafka;
  const group = `logins-${agentEpoch}`;
  const told: string[] = [];
  const seen: number[] = [];
  const metrics = createMetrics();
  const unfit = async (): Promise<boolean> =>
    (await metrics.kafkaFailures.get()).values.some(
      ({ labels }) => labels.code === 'CONFIG_SECRET_UNREADABLE',
    );
  const transport = createKafkaTransport(
    { kafka: config, group, sessionMs: 6_000, concurrency: 1, isOnce: false },
    {
      createFill: () => createBatcher(CONSUMER_CONFIG.parse({}).batch),
      pace: { restMs: () => 50 },
      log: QUIET,
      metrics,
      tell: (trouble) => {
        // A broker that has just started reads its groups first.
        if (trouble !== undefined && !trouble.includes('GROUP_LOAD_IN_PROGRESS')) told.push(trouble);
      },
    },
  );
  await transport.start(async ({ messages }) => {
    for (const { identity } of messages) if (identity.agentEpoch === agentEpoch) seen.push(identity.batchSeq);
    return [];
  });
  stops.push(() => transport.stop());
  return { seen, told, unfit };
}

async function doctor(section: object) {
  return await kafkaChecks({
    agent: AGENT_CONFIG.parse({ publish: { enabled: true }, kafka: section }),
    consumer: CONSUMER_CONFIG.parse({ transport: 'kafka', kafka: section }),
  });
}

for (const way of ['TLS', 'mTLS', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']) {
  test(`by ${way} a batch goes from the agent's spool to the consumer, and doctor is let in`, async () => {
    const section = on.ways[way] ?? {};
    const agent = startPublisher(section);
    agent.put();
    const consumer = await startConsumer(section, agent.agentEpoch);
    await until('the batch to arrive', () => consumer.seen.length === 1);
    assert.deepEqual([consumer.seen, agent.told, consumer.told], [[1], [], []]);
    const checks = await doctor(section);
    assert.deepEqual(
      checks.filter(({ status }) => status === 'fail'),
      [],
    );
    assert.equal(checks.find(({ name }) => name === 'rights of the consumer')?.status, 'ok');
  });
}

for (const way of ['mTLS', 'OAUTHBEARER']) {
  test(`by ${way} tcptrail topic describes the topics`, async () => {
    const file = on.file(`${way}.consumer.yaml`, JSON.stringify({ kafka: on.ways[way] }));
    const ended = await run(['topic', 'describe', '--json', '--config', file]);
    assert.deepEqual([ended.code, ended.stderr], [0, '']);
    assert.match(ended.stdout, /"topic":"tcptrail\.events"/);
  });
}

/** One try, without retries. */
async function refusal(section: object): Promise<AppError> {
  const config = kafkaKeys.parse(section);
  const error = await withAdmin(config, (admin) => admin.listTopics(), { retriesMax: 0 }).then(
    () => assert.fail('it was let in'),
    (reason: AppError) => reason,
  );
  for (const secret of on.secrets) assert.ok(!error.message.includes(secret), error.message);
  return error;
}

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
  test(`a wrong password for ${mechanism} is told with the user and the key`, async () => {
    const { code, message } = await refusal(on.login({ mechanism, username: 'tcptrail', password: 'wrong' }));
    assert.equal(code, 'KAFKA_LOGIN_REFUSED');
    assert.match(
      message,
      new RegExp(`refuses user "tcptrail" with ${mechanism}; set kafka\\.sasl\\.mechanism`),
    );
  });
}

test('a login that the listener does not have is told as such', async () => {
  const sasl = { mechanism: 'plain', username: 'tcptrail', password: on.kafka.passwords.tcptrail };
  const { code, message } = await refusal({ brokers: on.kafka.listeners['SCRAM'], sasl });
  assert.equal(code, 'KAFKA_LOGIN_REFUSED');
  assert.match(message, /has no login by plain; set kafka\.sasl\.mechanism to one of its listener's$/);
});

test('no login where the listener wants one, and a login where it wants none, are told with the key', async () => {
  const sasl = { mechanism: 'plain', username: 'tcptrail', password: on.kafka.passwords.tcptrail };
  const none = await refusal({ brokers: on.kafka.listeners['SCRAM'] });
  assert.match(none.message, /kafka\.sasl\.mechanism/);
  const needless = await refusal({ ...on.ways['TLS'], sasl });
  assert.match(needless.message, /kafka\.sasl\.mechanism/);
});

test('a client that the token server does not know is told with its answer', async () => {
  const { code, message } = await refusal(on.oauth({ clientSecret: 'wrong-secret' }));
  assert.equal(code, 'KAFKA_TOKEN');
  assert.match(
    message,
    /gives client "tcptrail" no token \(HTTP 401 invalid_client\); set kafka\.sasl\.oauth/,
  );
  assert.doesNotMatch(message, /wrong-secret/);
});

test('a token server that does not answer is named', async () => {
  const { code, message } = await refusal(on.oauth({ tokenUrl: 'http://127.0.0.1:1/token' }));
  assert.equal(code, 'KAFKA_TOKEN');
  assert.match(
    message,
    /^http:\/\/127\.0\.0\.1:1\/token, which .* does not answer \(ECONNREFUSED\); start it/,
  );
});

test('a server that answers without a token is named', async () => {
  const { code, message } = await refusal(on.oauth({ tokenUrl: on.tokens.jwksUrl }));
  assert.equal(code, 'KAFKA_TOKEN');
  assert.match(message, /answers without an access_token; set kafka\.sasl\.oauth\.tokenUrl$/);
});

test('a token that the brokers refuse is told, and the next login asks for another', async () => {
  on.tokens.audience = 'somebody-else';
  const agent = startPublisher(on.oauth({}));
  agent.put();
  await until('it to be told', () => agent.told.length > 0);
  assert.match(
    agent.told[0] ?? '',
    /^KAFKA_LOGIN_REFUSED: .* refuses user "tcptrail" with oauthbearer: its token does not satisfy them; compare/,
  );
  on.tokens.audience = AUDIENCE;
  await until('it to be published', () => agent.published() === 1);
});

test('one token serves all connections', async () => {
  const before = on.tokens.given;
  const config = kafkaKeys.parse(on.oauth({}));
  const client = createKafka(config);
  for (let connection = 0; connection < 3; connection++)
    await withAdmin(config, (admin) => admin.listTopics(), { client });
  assert.equal(on.tokens.given - before, 1);
});

test('a password file that is mended is read at the next login, and what waited goes out', async () => {
  const file = on.file('password', 'wrong\n');
  const section = on.login({ mechanism: 'scram-sha-512', username: 'tcptrail', passwordFile: file });
  const agent = startPublisher(section);
  const consumer = await startConsumer(section, agent.agentEpoch);
  agent.put();
  agent.put();
  await until('both to be told', () => agent.told.length > 0 && consumer.told.length > 0);
  writeFileSync(file, `${on.kafka.passwords.tcptrail}\n`);
  await until('the batches to arrive', () => consumer.seen.length === 2);
  assert.deepEqual(consumer.seen, [1, 2]);
  for (const line of [...agent.told, ...consumer.told])
    assert.match(line, /refuses user "tcptrail" with scram-sha-512/);
});

test('where logins end by themselves agent and consumer log in again, with the password of that moment', async () => {
  const { tcptrail: right } = on.kafka.passwords;
  const passwordFile = on.file('password-of-short', right);
  const sasl = { mechanism: 'scram-sha-512', username: 'tcptrail', passwordFile };
  const section = { brokers: on.kafka.listeners['SHORT'], sasl };
  const agent = startPublisher(section);
  const consumer = await startConsumer(section, agent.agentEpoch);
  let put = 0;
  const putUntil = (what: string, isSo: () => boolean | Promise<boolean>) =>
    until(what, () => {
      agent.put();
      put += 1;
      return isSo();
    });
  const sinceMs = performance.now();
  await putUntil('the first login to have ended', () => performance.now() - sinceMs > 2_000);
  await until('all to arrive', () => new Set(consumer.seen).size === put);
  assert.deepEqual([agent.told, consumer.told], [[], []]);

  rmSync(passwordFile);
  await putUntil('both to miss the file', async () => agent.told.length > 0 && (await consumer.unfit()));
  await until('all to arrive', () => new Set(consumer.seen).size === put);
  const [missing, ...more] = agent.told.splice(0);
  assert.match(missing ?? '', /^CONFIG_SECRET_UNREADABLE: kafka\.sasl\.passwordFile names .* cannot be read/);
  assert.deepEqual([more, consumer.told], [[], []]);

  writeFileSync(passwordFile, 'wrong');
  await putUntil('the connections that stand to be refused', () => agent.told.length > 0);
  assert.match(agent.told[0] ?? '', /refuses user "tcptrail" with scram-sha-512/);
  writeFileSync(passwordFile, right);
  await until('all to arrive', () => new Set(consumer.seen).size === put);
});
