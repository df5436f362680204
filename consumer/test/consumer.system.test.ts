import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { fingerprintOf } from '@tcptrail/schemas/fingerprint.ts';
import { frame, unframe } from '@tcptrail/schemas/single-object.ts';
import { startPart } from '../../test/harness/process.ts';
import { inserts, startProxy } from '../../test/harness/proxy.ts';
import { startServer, type TestServer } from '../../test/harness/server.ts';
import { counts, isCaughtUp, MAIN, type SpoolSetup, setUpSpool } from '../../test/harness/spool-consumer.ts';
import { until } from '../../test/harness/until.ts';
import { createRandom } from '../../test/random.ts';
import { datumOf, HOST, NOW_US, SCHEMA, temporaryFolder } from '../../test/spool-writer.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const setUp = (change?: Parameters<typeof setUpSpool>[1]): SpoolSetup => setUpSpool(server, change);

suite('each with a spool and a database of its own', { concurrency: 3 }, () => {
  test('--once stores what the spool holds and ends with 0', async () => {
    const setup = setUp();
    for (let index = 0; index < 5; index++) setup.spool.batch(10);
    await setup.once();
    assert.deepEqual(await counts(setup), { n: 50, u: 50, b: 5, ub: 5 });
  });

  test('a second run finds nothing to do, and one without its cursor doubles nothing', async () => {
    const setup = setUp();
    for (let index = 0; index < 3; index++) setup.spool.batch(10);
    await setup.once();
    await setup.once();
    writeFileSync(join(setup.spool.path, 'cursor/clickhouse.json'), '{"segment":"gone.avro","position":1}');
    const consumer = await setup.once();
    assert.match(consumer.output(), /which is gone or shorter; going on at the oldest bytes there are/);
    assert.deepEqual(await counts(setup), { n: 30, u: 30, b: 3, ub: 3 });
  });

  test('days that are over are summed beside the storing, and by --once before it ends', async () => {
    const setup = setUp({ tiers: { closeMs: 50 } });
    const closed = async () => {
      const days = await setup.rows<{ tier: string; rows: number }>(
        'SELECT tier, rows FROM {db}.closed_days ORDER BY tier',
      );
      return days.map(({ tier, rows }) => [tier, Number(rows)]);
    };
    const all = (rows: number) => ['5m', '1h', 'edges'].map((tier) => [tier, rows]);
    // So late yesterday, or the day before, that it is over whatever the time is.
    const dayAgo = () => ({ tsUs: NOW_US - 1.9 * 86_400e6 });
    setup.spool.batch(7, {}, dayAgo);
    await setup.once();
    assert.deepEqual(await closed(), all(7));
    setup.spool.batch(2, {}, dayAgo);
    const consumer = setup.start();
    await until('the day to be closed again', async () => isDeepStrictEqual(await closed(), all(9)));
    assert.equal(await consumer.end(), 0, consumer.output());
    assert.match(consumer.output(), /is summed in tier edges/);
  });

  for (const table of ['tier_days', 'held_events'])
    test(`--once that cannot write ${table} has stored everything, and ends with 1 and why`, async () => {
      const setup = setUp({ tiers: { closeMs: 50 } });
      await setup.once();
      const command = (query: string) => server.client.command({ query });
      await command(
        `INSERT INTO ${setup.database}.holds (hold_id, kind, until, version) VALUES ('x', 'all', today() + 7, 1)`,
      );
      await command(`ALTER TABLE ${setup.database}.${table} MODIFY SETTING table_readonly = 1`);
      setup.spool.batch(7, {}, () => ({ tsUs: NOW_US - 1.9 * 86_400e6 }));
      const consumer = setup.start(['--once']);
      assert.equal(await consumer.exited, 1, consumer.output());
      assert.match(consumer.output(), /^tcptrail consumer: ClickHouse cannot do it now .* read-only/m);
      assert.deepEqual(await counts(setup), { n: 7, u: 7, b: 1, ub: 1 });
    });

  const KILLS = 10;
  test(`${KILLS} kills of the consumer at random moments under load double and lose nothing`, async () => {
    const setup = setUp({ batch: { flushMs: 10, rowsMax: 300 } });
    const random = createRandom(5);
    let consumer = setup.start();
    let rows = 0;
    let batches = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const end = performance.now() + 700 + random.below(900);
      // The moment of the kill is what is random here; nothing is waited for.
      while (performance.now() < end) {
        const events = random.below(40);
        setup.spool.batch(events);
        rows += events;
        batches += 1;
        if (random.below(40) === 0) setup.spool.rotate();
        await sleep(10);
      }
      await consumer.end('SIGKILL');
      consumer = setup.start();
    }
    await until('the spool to be read', () => isCaughtUp(setup.spool)).catch((error: Error) => {
      throw new Error(consumer.output(), { cause: error });
    });
    assert.equal(await consumer.end(), 0, consumer.output());
    assert.deepEqual(await counts(setup), { n: rows, u: rows, b: batches, ub: batches });
  });

  test('an INSERT whose answer never came is found in the ledger and not repeated', async () => {
    const proxy = await startProxy(server.url, inserts({ answer: 'cut' }, 6));
    const setup = setUp({ url: proxy.url, batch: { rowsMax: 20 } });
    for (let index = 0; index < 12; index++) setup.spool.batch(10);
    const consumer = setup.start();
    await until('the spool to be read', () => isCaughtUp(setup.spool));
    assert.equal(await consumer.end(), 0, consumer.output());
    assert.equal(proxy.faults, 6);
    assert.match(consumer.output(), /the ledger holds \d+ of \d+ batches already/);
    assert.deepEqual(await counts(setup), { n: 120, u: 120, b: 12, ub: 12 });
  });

  test('rows that nobody inserted stop the storing and say so', async () => {
    const setup = setUp();
    setup.spool.batch(10);
    await setup.once();
    await setup.rows('SELECT 1');
    await server.client.command({
      query: `INSERT INTO ${setup.database}.tcp_events SELECT * REPLACE (2 AS origin_offset) FROM ${setup.database}.tcp_events LIMIT 3`,
    });
    setup.spool.batch(10);
    const consumer = setup.start(['--once']);
    assert.equal(await consumer.exited, 1, consumer.output());
    assert.match(consumer.output(), /tcp_events holds 3 of 10 rows of batch 2/);
  });

  test('a batch over midnight is stored under two days, one INSERT each', async () => {
    const setup = setUp();
    const midnight = Math.floor(NOW_US / 86_400e6) * 86_400e6;
    setup.spool.batch(10, { batch_ts: midnight + 1e6 }, (index) => ({
      tsUs: midnight + (index < 4 ? -1 : 1),
    }));
    await setup.once();
    const days = await setup.rows<{ n: number; ok: number }>(
      'SELECT count() AS n, toUInt8(min(day = toDate(ts))) AS ok FROM {db}.tcp_events GROUP BY day ORDER BY day',
    );
    assert.deepEqual(days, [
      { n: 4, ok: 1 },
      { n: 6, ok: 1 },
    ]);
    assert.equal((await counts(setup)).b, 1);
  });

  test('an event three days off is flagged and filed under the day of its batch', async () => {
    const setup = setUp();
    setup.spool.batch(3, {}, (index) => (index === 1 ? { tsUs: NOW_US - 3 * 86_400e6 } : {}));
    await setup.once();
    const rows = await setup.rows(
      'SELECT seq, ts_suspect, day = toDate(toDateTime(intDiv(' +
        NOW_US +
        ", 1000000), 'UTC')) AS today FROM {db}.tcp_events ORDER BY seq",
    );
    assert.deepEqual(rows, [
      { seq: 1, ts_suspect: false, today: 1 },
      { seq: 2, ts_suspect: true, today: 1 },
      { seq: 3, ts_suspect: false, today: 1 },
    ]);
  });

  test('a host whose clock is years behind stops nobody', async () => {
    const setup = setUp();
    setup.spool.batch(3, { batch_ts: 1_000_000 });
    setup.spool.batch(3);
    await setup.once();
  });

  test('a damaged block is set aside, counted as parked, and what follows is stored', async () => {
    const setup = setUp();
    setup.spool.batch(10);
    const from = statSync(setup.spool.file).size;
    setup.spool.batch(10);
    const bytes = readFileSync(setup.spool.file);
    bytes[from + 20] = (bytes[from + 20] ?? 0) ^ 0xff;
    writeFileSync(setup.spool.file, bytes);
    setup.spool.batch(10);
    const consumer = await setup.once();
    assert.match(consumer.output(), /set aside as .*damaged, going on behind them/);
    assert.deepEqual(await counts(setup), { n: 20, u: 20, b: 2, ub: 2 });
    assert.deepEqual(
      await setup.rows('SELECT origin, host_id, batch_seq, reason FROM {db}.tcp_parked FINAL'),
      [
        {
          origin: `spool:${HOST}:${setup.spool.agentEpoch}`,
          host_id: HOST,
          batch_seq: 2,
          reason: 'SEGMENT_CORRUPT',
        },
      ],
    );
    const kept = readdirSync(join(setup.spool.path, 'set-aside')).filter((name) => name.endsWith('.damaged'));
    assert.equal(kept.length, 1);
  });

  test('a batch that does not decode is parked whole and set aside byte for byte', async () => {
    const setup = setUp();
    setup.spool.batch(5);
    const broken = datumOf({ agent_epoch: setup.spool.agentEpoch, batch_seq: 2 }, [
      { seq: 6 },
      { seq: 7 },
    ]).slice();
    const half = broken.subarray(0, broken.length - 90);
    setup.spool.datum(half);
    setup.spool.datum(datumOf({ agent_epoch: setup.spool.agentEpoch, batch_seq: 3 }, [{ seq: 8 }]));
    await setup.once();
    assert.deepEqual(await counts(setup), { n: 6, u: 6, b: 2, ub: 2 });
    const parked = await setup.rows<{ batch_seq: number; reason: string }>(
      'SELECT batch_seq, reason FROM {db}.tcp_parked',
    );
    assert.equal(parked[0]?.batch_seq, 2);
    assert.match(parked[0]?.reason ?? '', /^DECODE_/);
    const name =
      readdirSync(join(setup.spool.path, 'set-aside')).find((file) => file.endsWith('.parked')) ?? '';
    assert.deepEqual(readFileSync(join(setup.spool.path, 'set-aside', name)), frame(half));
  });

  test('a segment of a schema that nobody knows is parked and set aside; one whose schema is only written otherwise is read', async () => {
    const setup = setUp();
    const { spool } = setup;
    const other = SCHEMA.replaceAll('"rtt_us"', '"rtt_of_another_release_us"');
    spool.batch(10);
    spool.rotate(other);
    const from = statSync(spool.file).size;
    spool.batch(10);
    spool.batch(10);
    spool.rotate(JSON.stringify(JSON.parse(SCHEMA)));
    spool.batch(10);
    await setup.once();
    assert.deepEqual(await counts(setup), { n: 20, u: 20, b: 2, ub: 2 });
    assert.deepEqual(
      await setup.rows('SELECT host_id, batch_seq, reason FROM {db}.tcp_parked FINAL ORDER BY batch_seq'),
      [2, 3].map((batch_seq) => ({ host_id: HOST, batch_seq, reason: 'SCHEMA_UNKNOWN' })),
    );
    const name = `${basename(spool.file).replace('-00000003.avro', '-00000002')}-${from}.parked`;
    const { fingerprint, datum } = unframe(readFileSync(join(spool.path, 'set-aside', name)));
    assert.equal(fingerprint, fingerprintOf(JSON.parse(other)));
    assert.equal(decodeEnvelope(datum).envelope.batch_seq, 2);
  });

  test('a batch that ClickHouse refuses is found among its neighbours and parked; they are stored', async () => {
    const setup = setUp();
    setup.spool.batch(2);
    const first = setup.start(['--once']);
    assert.equal(await first.exited, 0, first.output());
    await server.client.command({
      query: `ALTER TABLE ${setup.database}.tcp_events ADD CONSTRAINT not_four CHECK origin_offset != 4`,
    });
    for (let batch = 2; batch <= 7; batch++) setup.spool.batch(2);
    const second = setup.start(['--once']);
    assert.equal(await second.exited, 0, second.output());
    assert.deepEqual(await counts(setup), { n: 12, u: 12, b: 6, ub: 6 });
    const parked = await setup.rows('SELECT batch_seq, reason FROM {db}.tcp_parked FINAL');
    assert.deepEqual(parked, [{ batch_seq: 4, reason: 'STORE_ROWS_REFUSED' }]);
    const kept = readdirSync(join(setup.spool.path, 'set-aside')).filter((name) => name.endsWith('.parked'));
    assert.equal(kept.length, 1);
  });

  test('a user that may only read ends with 2 and says what to set', async () => {
    const setup = setUp();
    const consumer = setup.start(['--once'], { TCPTRAIL_CLICKHOUSE_USERNAME: 'reader' });
    assert.equal(await consumer.exited, 2, consumer.output());
    assert.match(consumer.output(), /^tcptrail consumer: ClickHouse at .* refuses user "reader"/m);
  });

  test('a ClickHouse that is not there yet is waited for; --once gives up with 1', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const address = free.address();
    assert.ok(typeof address === 'object' && address);
    await new Promise((resolve) => free.close(resolve));
    const setup = setUp({ url: `http://127.0.0.1:${address.port}` });
    setup.spool.batch(1);
    const waiting = setup.start();
    await until('it to say that it waits', () => /does not answer \(ECONNREFUSED\)/.test(waiting.output()));
    assert.equal(await waiting.end(), 0, waiting.output());
    const once = setup.start(['--once']);
    assert.equal(await once.exited, 1, once.output());
  });

  test('an unknown key of the configuration ends with 2 and names it', async () => {
    const file = join(temporaryFolder(), 'consumer.yaml');
    writeFileSync(file, 'clickhouse:\n  urll: http://127.0.0.1:1\n');
    const consumer = startPart([MAIN, '--config', file]);
    assert.equal(await consumer.exited, 2);
    assert.match(consumer.output(), /unknown key clickhouse\.urll/);
  });

  test('a second consumer of the same spool ends with one clear sentence', async () => {
    const setup = setUp();
    const first = setup.start();
    await until('the first to read', () => /reading/.test(first.output()));
    const second = setup.start(['--once']);
    assert.equal(await second.exited, 1);
    assert.match(second.output(), /^tcptrail consumer: another consumer reads .*; stop it/m);
    assert.equal(await first.end(), 0);
  });

  test('a wrong password ends with 2 and says what to set', async () => {
    const folder = temporaryFolder();
    const part = startPart(
      [
        join(import.meta.dirname, '../../infra/embedded-clickhouse/src/main.ts'),
        '--data',
        folder,
        '--port',
        '0',
      ],
      { TCPTRAIL_CLICKHOUSE_PASSWORD: 'right' },
    );
    after(() => part.end('SIGKILL'));
    const { port } = JSON.parse(await part.firstLine) as { port: number };
    const setup = setUp({ url: `http://127.0.0.1:${port}` });
    const wrong = setup.start(['--once'], { TCPTRAIL_CLICKHOUSE_PASSWORD: 'wrong' });
    assert.equal(await wrong.exited, 2, wrong.output());
    assert.match(wrong.output(), /refuses user .* set clickhouse.username and clickhouse.password/);
    const right = setup.start(['--once'], { TCPTRAIL_CLICKHOUSE_PASSWORD: 'right' });
    assert.equal(await right.exited, 0, right.output());
  });
});
