import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { startEmbedded } from './embedded.ts';

const server = await startEmbedded({
  env: { TCPTRAIL_CLICKHOUSE_PASSWORD: 'secret', TCPTRAIL_CLICKHOUSE_READER_PASSWORD: 'look' },
});
const owner = { user: 'default', password: 'secret' };
const reader = { user: 'reader', password: 'look' };
const codeOf = async (statement: string, query: Record<string, string>): Promise<string | null> => {
  const answer = await server.ask(query, { method: 'POST', body: statement });
  await answer.text();
  return answer.headers.get('x-clickhouse-exception-code');
};
await server.sql('CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a', owner);
await server.sql('INSERT INTO t VALUES (1)', owner);

test('a wrong or missing password is code 516 with status 403', async () => {
  for (const query of [
    {},
    { user: 'default', password: 'x' },
    { user: 'reader' },
    { user: 'nobody', password: 'secret' },
  ]) {
    const answer = await server.ask(query as Record<string, string>, { method: 'POST', body: 'SELECT 1' });
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /^Code: 516\. .*\(AUTHENTICATION_FAILED\)/);
  }
});

test('user and password may come in headers, as Basic, or in the URL', async () => {
  const basic = `Basic ${Buffer.from('default:secret').toString('base64')}`;
  for (const headers of [
    { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': 'secret' },
    { Authorization: basic },
  ])
    assert.equal(
      (await server.ask({ query: 'SELECT 1' }, { headers: headers as Record<string, string> })).status,
      200,
    );
  assert.equal(await server.sql('SELECT 1', owner), '1');
});

test('the reader reads, with settings and parameters of its own', async () => {
  assert.equal(
    await server.sql('SELECT a FROM t WHERE a = {x:UInt8}', { ...reader, param_x: '1', max_threads: '1' }),
    '1',
  );
  assert.equal(await server.sql('SHOW TABLES', reader), 't');
});

test('the reader cannot write', async () => {
  const writes = [
    'INSERT INTO t VALUES (2)',
    'INSERT INTO t SELECT 2',
    'DROP TABLE t',
    'ALTER TABLE t DELETE WHERE 1',
    'OPTIMIZE TABLE t',
  ];
  for (const sql of [
    ...writes,
    'CREATE TABLE u (a UInt8) ENGINE = Memory',
    'SYSTEM STOP MERGES',
    'TRUNCATE TABLE t',
  ])
    assert.equal(await codeOf(sql, reader), '164', sql);
  assert.equal(await codeOf("SELECT 1 INTO OUTFILE '/tmp/never'", reader), '358');
  assert.equal(await server.sql('SELECT count() FROM t', owner), '1');
});

test('the reader reaches no file and no other host, by any spelling', async () => {
  const reaches = [
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "SELECT `fi\\x6ce`('/etc/passwd')",
    'SELECT "file" /**/ (\'/etc/passwd\')',
    "SELECT * APPLY(file) FROM (SELECT '/etc/passwd')",
    "SELECT arrayMap(file, ['/etc/passwd'])",
    "DESCRIBE TABLE file('/etc/passwd', 'CSVWithNames')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:1/b/x', 'TSV', 'a String')",
    "SELECT * FROM remote('127.0.0.1', 'system.one')",
    "SELECT * FROM icebergLocal('/tmp')",
    "SELECT * FROM filesystem('/etc')",
    "SELECT * FROM executable('x', 'TSV', 'a String')",
  ];
  for (const sql of reaches) assert.equal(await codeOf(sql, reader), '497', sql);
  assert.equal(await codeOf('SELECT * FROM `/etc/passwd`', reader), '497');
  assert.equal(await codeOf('SELECT executable FROM (SELECT 1 AS executable)', reader), null);
});

test('the reader cannot lift its lock', async () => {
  assert.equal(await codeOf('SELECT 1', { ...reader, readonly: '0' }), '164');
  assert.equal(await codeOf('SELECT 1', { ...reader, format_template_row: '/etc/passwd' }), '164');
  for (const sql of ['SELECT 1 SETTINGS readonly = 0', 'SET readonly = 0', 'SET max_threads = 1'])
    assert.equal(await codeOf(sql, reader), '164', sql);
  assert.equal(await codeOf('SELECT 1; DROP TABLE t', reader), '62');
});

test('no setting that names a file, a schema or a place, or that lifts a memory limit, is open to the reader', async () => {
  const names = await server.sql(
    "SELECT name FROM system.settings WHERE match(name, 'path|file|schema|url|endpoint|memory|external') FORMAT TSV",
    owner,
  );
  const list = names.trim().split('\n');
  assert.ok(
    list.includes('output_format_schema') && list.includes('max_memory_usage'),
    'the list is the real one',
  );
  for (const name of list) assert.equal(await codeOf('SELECT 1', { ...reader, [name]: '1' }), '164', name);
});

test('nobody reaches files of the host or other hosts, the owner neither', async () => {
  const reaches = [
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "DESCRIBE TABLE file('/etc/passwd', 'CSVWithNames')",
    'SELECT * FROM `/etc/passwd`',
    'SELECT * FROM default."/etc/\\x70asswd"',
    'DESCRIBE `a/../../../../../../etc/passwd`',
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM '\\x2fetc/passwd'",
    "SELECT * FROM (SELECT 1) AS limit, '/etc/passwd'",
    "SELECT hasColumnInTable('default', '/etc/passwd', 'c1')",
    "SELECT * FROM loop('default', '/etc/passwd') LIMIT 1",
    "INSERT INTO t VALUES (length(file('/etc/passwd')))",
    "INSERT INTO t FORMAT Values (length(file('/etc/passwd')))",
    "INSERT INTO FUNCTION file('/tmp/never', 'TSV', 'a UInt8') VALUES (1)",
    "INSERT INTO FUNCTION file('/tmp/never', 'TSV', 'a UInt8') SELECT 1",
    'CREATE TABLE f (a UInt8) ENGINE = File(TSV)',
    "CREATE TABLE f (a UInt8) ENGINE URL('http://127.0.0.1:1/', TSV)",
    "CREATE TABLE f (a UInt8) ENGINE = EmbeddedRocksDB(0, '/tmp/never') PRIMARY KEY a",
    "CREATE TABLE f (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '/tmp/never/')",
    "CREATE DATABASE f ENGINE = Filesystem('/etc')",
    "CREATE DICTIONARY f (a UInt64) PRIMARY KEY a SOURCE(HTTP(url 'http://127.0.0.1:1/' format 'TSV')) LAYOUT(FLAT()) LIFETIME(0)",
    "ATTACH TABLE f FROM '/etc' (a UInt8) ENGINE = MergeTree ORDER BY a",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "BACKUP TABLE t TO Disk('default', 'never')",
    "RESTORE TABLE t FROM Disk('default', 'never')",
    "SELECT 1 SETTINGS output_format_schema = '/tmp/never'",
    "SET dialect = 'kusto'",
  ];
  for (const sql of reaches) assert.equal(await codeOf(sql, owner), '497', sql);
  assert.equal(await codeOf('SELECT 1', { ...owner, output_format_schema: '/tmp/never' }), '497');
  assert.equal(
    await codeOf('SELECT * FROM {t:Identifier}', { ...owner, param_t: '/etc/passwd' }),
    '497',
    'a table named by a parameter',
  );
  assert.equal(existsSync('/tmp/never'), false);
});

test('names that only look like sources, and paths that are data, pass', async () => {
  assert.equal(await server.sql('SELECT {x:String}', { ...owner, param_x: 'redis' }), 'redis');
  assert.equal(
    await server.sql(
      "SELECT 1 AS `KiB/s` FROM t WHERE '/x' IN ('/y', '/x') AND '/usr/bin/curl' LIKE '/usr/%'",
      owner,
    ),
    '1',
  );
  assert.equal(await server.sql('SELECT redis, url FROM (SELECT 1 AS redis, 2 AS url)', owner), '1\t2');
});

test('rows of VALUES too many to be looked at may not call functions', async () => {
  await server.sql('CREATE TABLE many (a UInt64) ENGINE = MergeTree ORDER BY a', owner);
  const rows = Array.from({ length: 200_000 }, (_, a) => `(${a + 1_000})`).join(',');
  const into = { ...owner, query: 'INSERT INTO many VALUES' };
  assert.equal(await codeOf(rows, into), null);
  assert.notEqual(await codeOf(`${rows},(length(file('/etc/passwd')))`, into), null);
  assert.equal(await server.sql('SELECT count() FROM many', owner), '200000');
});

test('each engine and table function the engine knows is either known to stay inside or refused', async () => {
  const names = async (table: string): Promise<string[]> =>
    (await server.sql(`SELECT name FROM system.${table} ORDER BY name`, owner)).split('\n');
  const refusedOf = async (list: string[], statement: (name: string) => string): Promise<string[]> => {
    const codes = await Promise.all(list.map((name) => codeOf(statement(name), owner)));
    return list.filter((_, i) => codes[i] !== '497');
  };
  const engines = await refusedOf(
    await names('table_engines'),
    (name) => `CREATE TABLE e (a Bad) ENGINE = ${name}(1)`,
  );
  assert.deepEqual(
    engines.filter((name) => !name.endsWith('MergeTree')),
    'Dictionary FuzzJSON GenerateRandom Join Log MaterializedView Memory Merge Null Set StripeLog TinyLog View'.split(
      ' ',
    ),
  );
  const databases = await refusedOf(
    await names('database_engines'),
    (name) => `CREATE DATABASE t.e ENGINE = ${name}(1)`,
  );
  assert.deepEqual(databases, ['Atomic', 'Dictionary', 'Memory', 'Ordinary']);
  const functions = await refusedOf(
    await names('table_functions'),
    (name) => `SELECT no FROM ${name}(no, no)`,
  );
  assert.deepEqual(
    functions,
    `SQLStandardValues dictionary format fuzzJSON fuzzQuery generateRandom generateSeries generate_series merge
    mergeTreeAnalyzeIndexes mergeTreeAnalyzeIndexesUUID mergeTreeIndex mergeTreeProjection mergeTreeTextIndex null numbers
    numbers_mt primes prometheusQuery prometheusQueryRange timeSeriesData timeSeriesMetrics timeSeriesSamples
    timeSeriesSelector timeSeriesTags values view viewExplain viewIfPermitted zeros zeros_mt`.split(/\s+/),
  );
});

test('an exception of the engine names the user who asked', async () => {
  const answer = await server.ask(reader, { method: 'POST', body: "SELECT * FROM format(TSV, '1')" });
  assert.match(
    await answer.text(),
    /^Code: 164\. DB::Exception: reader: Cannot execute query in readonly mode/,
  );
});
