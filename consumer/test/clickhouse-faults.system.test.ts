import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { frame } from '@tcptrail/schemas/single-object.ts';
import { useKafkaAndStore } from '../../test/harness/kafka-consumer.ts';
import { batch, ROWS } from '../../test/harness/numbered-batch.ts';
import type { Part } from '../../test/harness/process.ts';
import { type Fault, inserts, startProxy } from '../../test/harness/proxy.ts';
import { startServer } from '../../test/harness/server.ts';
import { until } from '../../test/harness/until.ts';

const kafka = useKafkaAndStore();
const framed = (batchSeq: number): Buffer => frame(batch(batchSeq));

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
    code: 'CLICKHOUSE_UNWRITABLE',
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
    fault: { answer: 'swallowed' },
    // One for each table: then the ledger says that the rows are there.
    tries: 2,
  },
];

/** With the waits between them these take longer than the session, which must be kept alive meanwhile. */
const TRIES = 6;

suite('each with a topic and a database of its own', { concurrency: 3 }, () => {
  for (const { name, code, says, fault, alter, tries } of CASES) {
    test(`${name}: batches wait in Kafka, the partition is kept, and all is stored once when it is over`, async () => {
      const setup = await kafka.setUp();
      const proxy = await startProxy(kafka.server.url);
      const consumer = setup.start([], {
        TCPTRAIL_CLICKHOUSE_URL: proxy.url,
        TCPTRAIL_CLICKHOUSE_REQUEST_WAIT_MS_MAX: '1000',
      });
      await setup.send(framed(1));
      await until('the first batch to be stored', () => setup.isDrained());
      const table = 'ALTER TABLE {db}.tcp_events';

      if (alter) await setup.command(`${table} ${alter[0]}`);
      if (fault) proxy.play(inserts(fault));
      await setup.send(framed(2), framed(3));
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

      if (alter) await setup.command(`${table} ${alter[1]}`);
      proxy.play();
      await setup.send(framed(4));
      await until('all to be stored', () => setup.isDrained());
      assert.deepEqual(await setup.counts(), { n: 4 * ROWS, u: 4 * ROWS, b: 4 });
      const later = await metricsOf(consumer);
      assert.equal(later.get('tcptrail_consumer_clickhouse_up'), 1);
      assert.equal(consumer.output().split('joined group').length - 1, 1, consumer.output());
      assert.equal(await consumer.end(), 0);
    });
  }

  test('an address that does not answer gives way to the next, and one that leads to another ClickHouse is not used', async (t) => {
    const setup = await kafka.setUp();
    const proxy = await startProxy(kafka.server.url);
    const other = await startServer();
    t.after(() => other.stop());
    const consumer = setup.start([], {
      TCPTRAIL_CLICKHOUSE_URL: proxy.url,
      TCPTRAIL_CLICKHOUSE_FALLBACK_URLS: `${other.url},${kafka.server.url}`,
    });
    await setup.send(framed(1));
    await until('the first batch to be stored', () => setup.isDrained());
    proxy.stop();
    await setup.send(framed(2), framed(3));
    await until('all to be stored', () => setup.isDrained());
    assert.deepEqual(await setup.counts(), { n: 3 * ROWS, u: 3 * ROWS, b: 3 });
    assert.match(
      consumer.output(),
      /does not have the table that is used, .*take it out of clickhouse\.fallbackUrls/,
    );
    assert.equal(await consumer.end(), 0);
  });
});
