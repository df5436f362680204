import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, startEmbedded, temporaryFolder } from './embedded.ts';

const folder = temporaryFolder();
const server = await startEmbedded({ folder });
const insert = (query: string, body: string | Uint8Array<ArrayBuffer>, settings = {}): Promise<Response> =>
  server.ask({ query, ...settings }, { method: 'POST', body });

async function native(select: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await server.ask({ query: `${select} FORMAT Native` })).arrayBuffer());
}

test('columns left out take their defaults', async () => {
  await server.sql(
    "CREATE TABLE `my table` (a UInt8, s String DEFAULT concat('d', toString(a))) ENGINE = MergeTree ORDER BY a",
  );
  await insert('/* c */ insert into `my table` (a) format CSV', '1\n');
  await insert('INSERT INTO `my table` FORMAT JSONEachRow', '{"a":2,"s":"two"}\n{"a":3}');
  await server.sql("insert into `my table` values (4, 'x;FORMAT CSV'), (5, upper('y'))");
  await insert('INSERT INTO `my table` (a, s) VALUES', "(6, 'z')");
  await server.sql("INSERT INTO `my table` SELECT 7, 's'");
  assert.equal(
    await server.sql('SELECT groupArray(s) FROM (SELECT s FROM `my table` ORDER BY a)'),
    "['d1','two','d3','x;FORMAT CSV','Y','z','s']",
  );
});

test('one Native block becomes one part in each partition', async () => {
  await server.sql(
    'CREATE TABLE parts (day Date, a UInt64, s String) ENGINE = MergeTree PARTITION BY day ORDER BY a',
  );
  await server.sql('SYSTEM STOP MERGES parts');
  const block = await native(
    "SELECT toDate('2026-01-01') + number % 2 AS day, number AS a, repeat('x', 300) AS s FROM numbers(100000) SETTINGS max_block_size = 100000",
  );
  assert.equal((await insert('INSERT INTO parts FORMAT Native', block)).status, 200);
  const parts =
    "SELECT partition, count(), sum(rows) FROM system.parts WHERE table = 'parts' AND active GROUP BY partition ORDER BY partition";
  assert.equal(await server.sql(parts), '2026-01-01\t1\t50000\n2026-01-02\t1\t50000');
});

test('a body of several Native blocks is stored whole', async () => {
  await server.sql('CREATE TABLE blocks (a UInt64) ENGINE = MergeTree ORDER BY a');
  const body = await native('SELECT number AS a FROM numbers(300000) SETTINGS max_block_size = 20000');
  await insert('INSERT INTO blocks FORMAT Native', body);
  assert.equal(await server.sql('SELECT count(), sum(a) FROM blocks'), '300000\t44999850000');
});

test('what a format writes the same format inserts', async () => {
  await server.sql('CREATE TABLE formats (a UInt64, s String, ip IPv6) ENGINE = MergeTree ORDER BY a');
  const formats = [
    'Native',
    'RowBinary',
    'JSONEachRow',
    'JSONCompactEachRow',
    'CSV',
    'CSVWithNames',
    'TSV',
    'Avro',
    'Parquet',
    'ArrowStream',
    'Values',
  ];
  for (const format of formats) {
    const rows =
      "SELECT number AS a, concat('é', toString(number)) AS s, toIPv6('::ffff:10.0.0.1') AS ip FROM numbers(100)";
    const body = new Uint8Array(
      await (await server.ask({ query: `${rows} FORMAT ${format}` })).arrayBuffer(),
    );
    const answer = await insert(`INSERT INTO formats FORMAT ${format}`, body);
    assert.equal(answer.status, 200, `${format}: ${await answer.text()}`);
    const stored = await server.sql(
      "SELECT count(), uniqExact(s), countIf(ip = toIPv6('::ffff:10.0.0.1')) FROM formats",
    );
    assert.equal(stored, '100\t100\t100', format);
    await server.sql('TRUNCATE TABLE formats');
  }
});

test('the same token inserts once, another token again', async () => {
  await server.sql(
    'CREATE TABLE once (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100',
  );
  const consumer = {
    async_insert: '0',
    insert_deduplicate: '1',
    deduplicate_insert_select: 'force_enable',
    wait_end_of_query: '1',
  };
  for (const token of ['x', 'x', 'y', 'x'])
    assert.equal(
      (await insert('INSERT INTO once FORMAT CSV', '1\n', { ...consumer, insert_deduplication_token: token }))
        .status,
      200,
    );
  assert.equal(await server.sql('SELECT count() FROM once'), '2');
});

test('a bad row refuses the whole insert and names the row', async () => {
  await server.sql('CREATE TABLE strict (a UInt8) ENGINE = MergeTree ORDER BY a');
  const answer = await insert('INSERT INTO strict FORMAT JSONEachRow', '{"a":1}\n{"a":"x"}\n');
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), /^Code: 27\. .*at row 2/s);
  assert.equal(await server.sql('SELECT count() FROM strict'), '0');
});

test('a body that breaks off inserts nothing', async () => {
  await server.sql('CREATE TABLE aborted (a UInt32) ENGINE = MergeTree ORDER BY a');
  const statement = encodeURIComponent('INSERT INTO aborted FORMAT CSV');
  const socket = connect(server.port, '127.0.0.1');
  socket.write(
    `POST /?query=${statement}&query_id=broken HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1\n2\n\r\n`,
  );
  const running = (): Promise<string> =>
    server.sql("SELECT count() FROM system.processes WHERE query_id = 'broken'");
  await eventually(running, (count) => count === '1');
  socket.destroy();
  await eventually(running, (count) => count === '0');
  assert.equal(await server.sql('SELECT count() FROM aborted'), '0');
});

test('no temporary file stays behind', async () => {
  await eventually(
    async () => readdirSync(join(folder, 'tmp')),
    (files) => files.length === 0,
  );
});
