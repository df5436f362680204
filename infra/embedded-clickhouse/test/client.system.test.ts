import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { startEmbedded } from './embedded.ts';

const server = await startEmbedded();
const client = createClient({
  url: server.url,
  compression: { request: true, response: true },
  log: { level: ClickHouseLogLevel.OFF },
});

test('the client pings, inserts JSON rows and reads them back', async () => {
  assert.deepEqual(await client.ping(), { success: true });
  await client.command({
    query: 'CREATE TABLE t (a UInt64, s String, at DateTime64(3)) ENGINE = MergeTree ORDER BY a',
  });
  const values = Array.from({ length: 1000 }, (_, a) => ({
    a: String(a),
    s: `é ${a}`,
    at: '2026-01-02 03:04:05.678',
  }));
  const inserted = await client.insert({ table: 't', values, format: 'JSONEachRow' });
  assert.equal(inserted.summary?.written_rows, '1000');
  const result = await client.query({ query: 'SELECT * FROM t ORDER BY a LIMIT 1', format: 'JSONEachRow' });
  assert.deepEqual(await result.json(), [{ a: 0, s: 'é 0', at: '2026-01-02 03:04:05.678' }]);
});

test('exec with values inserts a Native block', async () => {
  const { stream } = await client.exec({
    query: 'SELECT toUInt64(number) AS a FROM numbers(5000) FORMAT Native',
  });
  const block = Buffer.concat(await stream.toArray());
  await client.command({ query: 'CREATE TABLE n (a UInt64) ENGINE = MergeTree ORDER BY a' });
  const { summary } = await client.exec({
    query: 'INSERT INTO n FORMAT Native',
    values: Readable.from([block], { objectMode: false }),
  });
  assert.equal(summary?.written_rows, '5000');
});

test('parameters of many types are bound', async () => {
  const query_params = {
    n: 5,
    big: '18446744073709551615',
    s: "it's\t\\ \n é",
    d: '2026-01-02',
    list: ['a', "b'c"],
    map: { k: 1 },
    none: null,
    flag: true,
    ip: '::ffff:10.0.0.1',
    table: 'one',
  };
  const query = `SELECT {n:UInt8} AS n, toString({big:UInt64}) AS big, {s:String} AS s, {d:Date} AS d, {list:Array(String)} AS list,
    {map:Map(String, UInt8)} AS map, {none:Nullable(UInt8)} AS none, {flag:Bool} AS flag, {ip:IPv6} AS ip FROM system.{table:Identifier}`;
  const [row] = await (await client.query({ query, query_params, format: 'JSONEachRow' })).json<
    Record<string, unknown>
  >();
  const { table: _, ...expected } = query_params;
  assert.deepEqual(row, expected);
});

test('settings reach the query and a failure is a ClickHouseError', async () => {
  const query = "SELECT getSetting('max_threads') AS v";
  const result = await client.query({
    query,
    clickhouse_settings: { max_threads: 3 },
    format: 'JSONEachRow',
  });
  assert.deepEqual(await result.json(), [{ v: 3 }]);
  await assert.rejects(client.query({ query: 'SELECT * FROM nowhere' }), (error) => {
    assert.ok(error instanceof ClickHouseError);
    assert.equal(error.code, '60');
    assert.equal(error.type, 'UNKNOWN_TABLE');
    return true;
  });
});

test('a query has the threads it may have, though memory is small', async () => {
  const result = await client.query({
    query: 'EXPLAIN PIPELINE SELECT sum(number) FROM numbers_mt(100000000)',
    format: 'TabSeparated',
    clickhouse_settings: { max_threads: 4 },
  });
  assert.match(await result.text(), /NumbersRange × 4/);
});

test('the client closes', () => client.close());
