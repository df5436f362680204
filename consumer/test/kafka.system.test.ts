import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { PLAIN_BYTES_MAX } from '@tcptrail/kafka/zstd-frame.ts';
import { frame } from '@tcptrail/schemas/single-object.ts';
import { splitBatch } from '@tcptrail/schemas/split-batch.ts';
import { MAIN, useKafkaAndStore } from '../../test/harness/kafka-consumer.ts';
import { batch } from '../../test/harness/numbered-batch.ts';
import { startPart } from '../../test/harness/process.ts';
import { holding, startProxy } from '../../test/harness/proxy.ts';
import { startServer } from '../../test/harness/server.ts';
import { until } from '../../test/harness/until.ts';
import { HOST, temporaryFolder } from '../../test/spool-writer.ts';

const kafka = useKafkaAndStore();
const setUp = kafka.setUp;

const again = (batchSeq: number) => batch(batchSeq, { maybe_duplicate: true });

const OLDER = join(import.meta.dirname, '../../test/chaos/older-consumer.ts');
const us = (date: string): number => Date.parse(date) * 1000;
/** A group of another name begins at the oldest message. */
const ANEW = { TCPTRAIL_KAFKA_GROUP: 'anew' };

suite('each with a topic and a database of its own', { concurrency: 3 }, () => {
  test('--once stores what the topic holds, commits it and ends with 0', async () => {
    const setup = await setUp();
    await setup.send(...[1, 2, 3].map((seq) => frame(batch(seq))));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 30, u: 30, b: 3 });
    assert.ok(await setup.isDrained());
  });

  test('rows of a host whose clock is wrong are kept: under the day of the broker, also for a group that begins anew', async () => {
    const setup = await setUp();
    const years = { 1: '2001-01-01', 2: '2035-01-01' };
    const wrong = Object.entries(years).map(([seq, date]) => batch(Number(seq), { batch_ts: us(date) }));
    await setup.send(...wrong.map(frame), frame(batch(3)));
    const consumer = await setup.once();
    assert.match(consumer.output(), /says 2001-01-01 .* set the clock of the host right/);
    await setup.once(ANEW);
    assert.deepEqual(await setup.counts(), { n: 30, u: 30, b: 3 });
    const days = await setup.rows(
      `SELECT batch_seq, ts_suspect, count() AS n, uniqExact(e.day) AS days,
              any(e.day) = any(b.day) AND abs(dateDiff('day', any(e.day), today())) < 2 AS now
       FROM {db}.tcp_events AS e JOIN {db}.tcp_batches AS b USING (batch_seq)
       GROUP BY batch_seq, ts_suspect ORDER BY batch_seq`,
    );
    assert.deepEqual(
      days,
      [true, true, false].map((ts_suspect, index) => ({
        batch_seq: index + 1,
        ts_suspect,
        n: 10,
        days: 1,
        now: 1,
      })),
    );
  });

  test('a group that begins anew reads everything again and doubles nothing', async () => {
    const setup = await setUp();
    await setup.send(...[1, 2, 3].map((seq) => frame(batch(seq))));
    await setup.once();
    await setup.send(frame(batch(4)));
    const consumer = await setup.once(ANEW);
    assert.match(consumer.output(), /the ledger holds [0-9]+ of [0-9]+ batches already/);
    assert.deepEqual(await setup.counts(), { n: 40, u: 40, b: 4 });
  });

  test('a batch sent again is stored once: beside its first copy, after it was stored, and for a group that begins anew', async () => {
    const setup = await setUp();
    await setup.send(frame(batch(1)), frame(again(1)), frame(batch(2)));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 20, u: 20, b: 2 });
    await setup.send(frame(again(2)), frame(again(3)));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 30, u: 30, b: 3 });
    await setup.once(ANEW);
    assert.deepEqual(await setup.counts(), { n: 30, u: 30, b: 3 });
  });

  test('more batches sent again at once than one question can name are each stored once', async () => {
    const setup = await setUp();
    const sent = Array.from({ length: 700 }, (_, index) => index + 1);
    await setup.send(...sent.slice(0, 350).map((seq) => frame(batch(seq))));
    await setup.once();
    await setup.send(...sent.map((seq) => frame(again(seq))));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 7_000, u: 7_000, b: 700 });
  });

  test('a batch that was parked, and stored from where it was sent again, is stored once when all is read again', async () => {
    const setup = await setUp();
    const isNewer = { agent_version: 'of-a-newer-release' };
    await setup.send(frame(batch(1, isNewer)));
    await setup.once({
      NODE_OPTIONS: `--import ${OLDER}`,
      TCPTRAIL_UNKNOWN_AGENT: isNewer.agent_version,
    });
    assert.equal((await setup.letters()).length, 1, 'parked');
    await setup.send(frame(batch(1, { ...isNewer, maybe_duplicate: true })), frame(batch(2)));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 20, u: 20, b: 2 });
    await setup.once(ANEW);
    assert.deepEqual(await setup.counts(), { n: 20, u: 20, b: 2 });
  });

  test('parts of a batch that was stored whole, or of a part, are left out; parts of their own are stored', async () => {
    const setup = await setUp();
    const halves = (datum: Uint8Array) => [...(splitBatch(datum) ?? [])];
    await setup.send(frame(batch(1)), ...halves(batch(2)).map(frame));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 20, u: 20, b: 3 });
    await setup.send(...halves(again(1)).map(frame), ...halves(again(2)).flatMap(halves).map(frame));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 20, u: 20, b: 3 });
  });

  test('what is no batch of ours is kept on the dead-letter topic byte for byte, and the rest is stored', async () => {
    const setup = await setUp();
    const foreign = Buffer.from('{"no":"avro"}');
    const newer = Buffer.from(frame(batch(2)));
    newer[3] = (newer[3] ?? 0) ^ 0xff;
    const torn = Buffer.from(frame(batch(3))).subarray(0, 200);
    await setup.send(frame(batch(1)), foreign, newer, torn, null, frame(batch(4)));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 20, u: 20, b: 2 });
    const letters = await setup.letters();
    assert.deepEqual(
      letters.map(({ headers }) => [
        headers['origin']?.split('@')[0],
        headers['origin_offset'],
        headers['reason'],
      ]),
      [
        [setup.topic, '1', 'FRAME_UNKNOWN'],
        [setup.topic, '2', 'SCHEMA_UNKNOWN'],
        [setup.topic, '3', 'DECODE_TRUNCATED'],
        [setup.topic, '4', 'FRAME_UNKNOWN'],
      ],
    );
    assert.deepEqual(
      letters.map(({ value }) => value?.toString('hex')),
      [foreign, newer, torn, undefined].map((value) => value?.toString('hex')),
    );
    const parked = await setup.rows<{ o: number }>(
      'SELECT origin_offset AS o FROM {db}.tcp_parked FINAL ORDER BY o',
    );
    assert.deepEqual(
      parked.map(({ o }) => o),
      [1, 2, 3, 4],
    );
  });

  test('a message of a few bytes that decompresses to more than the most ends the reading with what to do', async () => {
    const setup = await setUp();
    await setup.send(frame(batch(1)));
    await setup.send(Buffer.alloc(PLAIN_BYTES_MAX));
    const consumer = setup.start(['--once']);
    assert.equal(await consumer.exited, 1);
    assert.match(
      consumer.output(),
      new RegExp(`topic ${setup.topic} holds messages that are larger than 64 MiB`),
    );
  });

  test('a batch that ClickHouse refuses is found among its neighbours and kept as a dead letter', async () => {
    const setup = await setUp();
    await setup.send(frame(batch(1)));
    await setup.once();
    await setup.command('ALTER TABLE {db}.tcp_events ADD CONSTRAINT not_four CHECK origin_offset != 4');
    await setup.send(...[2, 3, 4, 5, 6, 7].map((seq) => frame(batch(seq))));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 60, u: 60, b: 6 });
    const [letter, ...others] = await setup.letters();
    assert.deepEqual(others, []);
    assert.equal(letter?.headers['reason'], 'STORE_ROWS_REFUSED');
    assert.deepEqual(letter?.value, Buffer.from(frame(batch(5))));
  });

  test('a second consumer takes over half of the partitions, and every batch is stored once', async () => {
    const setup = await setUp({ partitions: 4, batch: { rowsMax: 20 } });
    const first = setup.start();
    await first.said('joined group');
    let sent = 0;
    const send = async (): Promise<void> => {
      const messages = Array.from({ length: 4 }, (_, partition) => {
        const value = Buffer.from(frame(batch(++sent)));
        return { key: HOST, value, partition };
      });
      await kafka.producer.send({ topic: setup.topic, acks: -1, messages });
    };
    for (let round = 0; round < 8; round++) await send();
    const second = setup.start();
    await until('the second to have joined', async () => {
      await send();
      return second.output().includes('joined group');
    });
    for (let round = 0; round < 8; round++) await send();
    await until('all to be stored', () => setup.isDrained());
    assert.deepEqual(await setup.counts(), { n: sent * 10, u: sent * 10, b: sent });
    assert.match(second.output(), /joined group [^ ]+: 2 partitions/);
    assert.equal(await second.end(), 0);
    await send();
    await until('the first to have all partitions again and to store on', () => setup.isDrained());
    assert.deepEqual(await setup.counts(), { n: sent * 10, u: sent * 10, b: sent });
    assert.equal(await first.end(), 0);
  });

  test('--once gives up with 1 where Kafka does not answer, and says so', async () => {
    const file = join(temporaryFolder(), 'consumer.yaml');
    const [brokers, clickhouse] = [['127.0.0.1:1'], { url: kafka.server.url, database: 'kafka_none' }];
    const config = {
      transport: 'kafka',
      clickhouse,
      kafka: { brokers, sessionMs: 3_000 },
      metrics: { port: 0 },
    };
    writeFileSync(file, JSON.stringify(config));
    const consumer = startPart([MAIN, '--config', file, '--once']);
    assert.equal(await consumer.exited, 1, consumer.output());
    assert.match(
      consumer.output(),
      /^tcptrail consumer: Kafka does not answer at 127\.0\.0\.1:1 \(ECONNREFUSED\)/m,
    );
  });

  test('rows that the ledger does not expect stop the partition, and --once ends with 1', async () => {
    const setup = await setUp();
    await setup.send(frame(batch(1)));
    await setup.once();
    await setup.command('DELETE FROM {db}.tcp_events WHERE seq = 3');
    const consumer = setup.start(['--once'], ANEW);
    assert.equal(await consumer.exited, 1, consumer.output());
    assert.match(consumer.output(), /tcp_events holds 9 of 10 rows of batch 0/);
    assert.equal((await setup.counts()).n, 9, 'nothing was added');
  });

  test('dead letters that are too large together go one by one', async () => {
    const setup = await setUp();
    const large = [1, 2].map((byte) => Buffer.concat([Buffer.from([byte]), randomBytes(700_000)]));
    for (const value of large) await setup.send(value);
    await setup.send(frame(batch(1)));
    await setup.once();
    assert.deepEqual(await setup.counts(), { n: 10, u: 10, b: 1 });
    assert.equal((await setup.letters()).length, 2);
  });

  test('--once ends with 1 and names ClickHouse when that does not answer, at the start or later', async () => {
    const setup = await setUp();
    const never = setup.start(['--once'], { TCPTRAIL_CLICKHOUSE_URL: 'http://127.0.0.1:1' });
    assert.equal(await never.exited, 1, never.output());
    assert.match(never.output(), /^tcptrail consumer: ClickHouse at .* does not answer/m);
    await setup.send(frame(batch(1)));
    const own = await startServer();
    const proxy = await startProxy(own.url, holding(`INSERT INTO ${setup.database}.tcp_events`));
    const consumer = setup.start(['--once'], { TCPTRAIL_CLICKHOUSE_URL: proxy.url });
    await proxy.held;
    proxy.stop();
    await own.stop();
    assert.equal(await consumer.exited, 1, consumer.output());
    assert.match(consumer.output(), /^tcptrail consumer: ClickHouse at .* does not answer/m);
  });
});
