import assert from 'node:assert/strict';
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
  assert.equal(await codeOf('SELECT * FROM `/etc/passwd`', reader), '164');
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
    "INSERT INTO FUNCTION file('/tmp/never', 'TSV', 'a UInt8') VALUES (1)",
    'CREATE TABLE f (a UInt8) ENGINE = File(TSV)',
    'CREATE TABLE f (a UInt8) ENGINE = URL',
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "BACKUP TABLE t TO File('/tmp/never')",
  ];
  for (const sql of reaches) assert.equal(await codeOf(sql, owner), '497', sql);
});
