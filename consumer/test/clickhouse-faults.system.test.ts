import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createKafka } from '@tcptrail/kafka/client.ts';
import { frame } from '@tcptrail/schemas/single-object.ts';
import type { Admin, Kafka, Producer } from 'kafkajs';
import { startKafka, type TestKafka } from '../../test/harness/kafka.ts';
import type { Part } from '../../test/harness/process.ts';
import { startServer, type TestServer } from '../../test/harness/server.ts';
import { until } from '../../test/harness/until.ts';
import { datumOf, NOW_US } from '../../test/spool-writer.ts';
import { CONSUMER_CONFIG } from '../src/config.ts';
import { type Fault, startFaultProxy } from './fault-proxy.ts';
import { type Setup, setUpKafka } from './kafka-setup.ts';

let broker: TestKafka;
let server: TestServer;
let client: Kafka;
let admin: Admin;
let producer: Producer;
before(async () => {
  broker = await startKafka();
  server = await startServer();
  client = createKafka(CONSUMER_CONFIG.parse({ kafka: { brokers: broker.brokers } }).kafka);
  admin = client.admin();
  producer = client.producer();
  await admin.connect();
  await producer.connect();
});
after(async () => {
  await producer?.disconnect();
  await admin?.disconnect();
  await server?.stop();
  await broker?.stop();
});

const EVENTS = 10;
const setUp = () => setUpKafka({ broker, server, client, admin, producer });

function batch(batchSeq: number): Uint8Array {
  const events = Array.from({ length: EVENTS }, (_, index) => ({
    seq: (batchSeq - 1) * EVENTS + index + 1,
  }));
  return frame(datumOf({ agent_epoch: NOW_US, batch_seq: batchSeq }, events));
}

/** Samples of the consumer's metrics by name and labels. */
async function metricsOf(consumer: Part): Promise<ReadonlyMap<string, number>> {
  const [url] = /http:\/\/[^ ]+\/metrics/.exec(consumer.output()) ?? [];
  assert.ok(url, consumer.output());
  const text = await (await fetch(url)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

interface Case {
  readonly name: string;
  readonly code: string;
  /** What the log must say of it. */
  readonly says: RegExp;
  /** Met by INSERTs on their way, where the server itself cannot be made to fail. */
  readonly fault?: Fault;
  /** What is done to the table, and undone. */
  readonly alter?: readonly [string, string];
  /** As often as it is met before it is over by itself; absent: with the back-off longer than the session. */
  readonly tries?: number;
}

const CASES: readonly Case[] = [
  {
    name: 'a memory limit',
    code: 'CLICKHOUSE_BUSY',
    says: /MEMORY_LIMIT_EXCEEDED 241: .*lower batch\.rowsMax/,
    fault: { settings: { max_memory_usage: '1' } },
  },
  {
    name: 'too many parts',
    code: 'CLICKHOUSE_BUSY',
    says: /TOO_MANY_PARTS 252: .*merges are behind/,
    alter: [
      'MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1',
      'RESET SETTING parts_to_throw_insert, parts_to_delay_insert',
    ],
  },
  {
    name: 'a table that is read-only',
    code: 'CLICKHOUSE_BUSY',
    says: /READ_ONLY \d+: .*the table is read-only/,
    alter: ['MODIFY SETTING table_readonly = 1', 'MODIFY SETTING table_readonly = 0'],
  },
  {
    name: 'a user who may only read',
    code: 'CLICKHOUSE_DENIED',
    says: /refuses user .* \(READONLY\)/,
    fault: { settings: { readonly: '1' } },
  },
  {
    name: 'a table of another schema',
    code: 'CLICKHOUSE_REFUSED',
    says: /ClickHouse refuses the statement \(.*comm/,
    alter: ['RENAME COLUMN comm TO comm_away', 'RENAME COLUMN comm_away TO comm'],
  },
  {
    name: 'an INSERT that is done and not answered in time',
    code: 'CLICKHOUSE_UNREACHABLE',
    says: /does not answer/,
    fault: { isSilent: true },
    // One for each table: then the ledger says that the rows are there.
    tries: 2,
  },
];

/** With the waits between them these take longer than the session, which must be kept alive meanwhile. */
const TRIES = 6;

for (const { name, code, says, fault, alter, tries } of CASES) {
  test(`${name}: batches wait in Kafka, the partition is kept, and all is stored once when it is over`, async (t) => {
    const setup: Setup = await setUp();
    const proxy = await startFaultProxy(server.url);
    t.after(() => proxy.stop());
    const consumer = setup.start([], {
      TCPTRAIL_CLICKHOUSE_URL: proxy.url,
      TCPTRAIL_CLICKHOUSE_REQUEST_WAIT_MS_MAX: '1000',
    });
    await setup.send(batch(1));
    await until('the first batch to be stored', () => setup.isDrained());
    const [database] = await setup.rows<{ d: string }>("SELECT '{db}' AS d");
    const table = `ALTER TABLE ${database?.d}.tcp_events`;

    if (alter) await server.client.command({ query: `${table} ${alter[0]}` });
    proxy.set(fault);
    await setup.send(batch(2), batch(3));
    const failures = `tcptrail_consumer_insert_failures_total{code="${code}"}`;
    await until(
      'tries enough',
      async () => ((await metricsOf(consumer)).get(failures) ?? 0) >= (tries ?? TRIES),
    );
    assert.match(consumer.output(), says);
    assert.match(consumer.output(), /the batches wait where they are/);
    if (tries === undefined) {
      assert.equal((await metricsOf(consumer)).get('tcptrail_consumer_clickhouse_up'), 0);
      assert.equal(await setup.isDrained(), false);
    }

    if (alter) await server.client.command({ query: `${table} ${alter[1]}` });
    proxy.set(undefined);
    await setup.send(batch(4));
    await until('all to be stored', () => setup.isDrained());
    assert.deepEqual(await setup.counts(), { n: 4 * EVENTS, u: 4 * EVENTS, b: 4 });
    const later = await metricsOf(consumer);
    assert.equal(later.get('tcptrail_consumer_clickhouse_up'), 1);
    assert.equal(consumer.output().split('joined group').length - 1, 1, consumer.output());
    assert.equal(await consumer.end(), 0);
  });
}

test('an address that does not answer gives way to the next, and one that leads to another ClickHouse is not used', async (t) => {
  const setup = await setUp();
  const proxy = await startFaultProxy(server.url);
  const other = await startServer();
  t.after(() => other.stop());
  const consumer = setup.start([], {
    TCPTRAIL_CLICKHOUSE_URL: proxy.url,
    TCPTRAIL_CLICKHOUSE_FALLBACK_URLS: `${other.url},${server.url}`,
  });
  await setup.send(batch(1));
  await until('the first batch to be stored', () => setup.isDrained());
  proxy.stop();
  await setup.send(batch(2), batch(3));
  await until('all to be stored', () => setup.isDrained());
  assert.deepEqual(await setup.counts(), { n: 3 * EVENTS, u: 3 * EVENTS, b: 3 });
  assert.match(
    consumer.output(),
    /does not have the table that is used, .*take it out of clickhouse\.fallbackUrls/,
  );
  assert.equal(await consumer.end(), 0);
});
