import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { request } from 'node:http';
import { test } from 'node:test';
import { deflateSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { startEmbedded } from './embedded.ts';

const server = await startEmbedded();
const post = (
  body: string | Uint8Array<ArrayBuffer>,
  query: Record<string, string> = {},
  headers = {},
): Promise<Response> => server.ask(query, { method: 'POST', body, headers });

test('/ping and /replicas_status answer Ok', async () => {
  for (const path of ['/ping', '/replicas_status', '/'])
    assert.equal(await (await fetch(server.url + path)).text(), 'Ok.\n');
  assert.equal((await fetch(`${server.url}/nothing`)).status, 404);
});

test('the statement may stand in the URL, in the body, or in both', async () => {
  assert.equal(await (await server.ask({ query: 'SELECT 1' })).text(), '1\n');
  assert.equal(await (await post('SELECT 2')).text(), '2\n');
  assert.equal(await (await post('FORMAT CSV', { query: "SELECT 3, 'é'" })).text(), '3,"é"\n');
});

test('curl inserts and selects', async () => {
  const curl = (...args: string[]): string => execFileSync('curl', ['-sS', ...args], { encoding: 'utf8' });
  curl(`${server.url}/`, '-d', 'CREATE TABLE by_curl (a UInt8) ENGINE = MergeTree ORDER BY a');
  curl(`${server.url}/?query=INSERT%20INTO%20by_curl%20FORMAT%20CSV`, '--data-binary', '1\n2\n');
  assert.equal(curl(`${server.url}/?query=SELECT%20sum(a)%20FROM%20by_curl`), '3\n');
});

test('headers tell query id, format, time zone and a summary of strings', async () => {
  const answer = await post('SELECT 1 FORMAT JSON', { query_id: 'my id', default_format: 'CSV' });
  assert.equal(answer.headers.get('x-clickhouse-query-id'), 'my id');
  assert.equal(answer.headers.get('x-clickhouse-format'), 'JSON');
  assert.equal(answer.headers.get('x-clickhouse-timezone'), 'UTC');
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  const summary = JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '');
  assert.equal(summary.result_rows, '1');
  assert.match(summary.elapsed_ns, /^\d+$/);
  assert.match(await answer.text(), /"data":\s*\[\s*\{\s*"1": 1/);
  assert.equal((await post('SELECT 1', { default_format: 'CSV' })).headers.get('x-clickhouse-format'), 'CSV');
});

test('each error has the code and the status of ClickHouse', async () => {
  const cases: readonly (readonly [
    sql: string,
    code: number,
    name: string,
    status: number,
    query?: Record<string, string>,
  ])[] = [
    ['SELECT * FROM nowhere', 60, 'UNKNOWN_TABLE', 404],
    ['SELECT nothing FROM system.one', 47, 'UNKNOWN_IDENTIFIER', 404],
    ['SELECT noFunction(1)', 46, 'UNKNOWN_FUNCTION', 404],
    ['SELEC 1', 62, 'SYNTAX_ERROR', 400],
    ['', 62, 'SYNTAX_ERROR', 400],
    ['SELECT 1; SELECT 2', 62, 'SYNTAX_ERROR', 400],
    ['SELECT 1', 81, 'UNKNOWN_DATABASE', 404, { database: 'nowhere' }],
    ['SELECT 1', 115, 'UNKNOWN_SETTING', 404, { no_such_setting: '1' }],
    ['SELECT {x:UInt8}', 456, 'UNKNOWN_QUERY_PARAMETER', 500],
    ['SELECT throwIf(number = 90000) FROM numbers(100000)', 395, 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO', 500],
    ["SELECT 1 INTO OUTFILE '/tmp/never'", 358, 'INTO_OUTFILE_NOT_ALLOWED', 500],
  ];
  for (const [sql, code, name, status, query] of cases) {
    const answer = await post(sql, query ?? {});
    const text = await answer.text();
    assert.equal(answer.headers.get('x-clickhouse-exception-code'), String(code), text);
    assert.equal(answer.status, status, text);
    assert.match(
      text,
      new RegExp(
        `^Code: ${code}\\. DB::Exception: .*\\(${name}\\) \\(version 26[^)]*\\(official build\\)\\)\\n$`,
        's',
      ),
    );
    assert.equal(text.match(/Code: /g)?.length, 1, text);
  }
});

test('GET changes nothing', async () => {
  const answer = await server.ask({ query: 'CREATE TABLE by_get (a UInt8) ENGINE = Memory' });
  assert.equal(answer.headers.get('x-clickhouse-exception-code'), '164');
  assert.equal(await server.sql('EXISTS by_get'), '0');
});

test('URL parameters that steer HTTP are not taken for settings', async () => {
  const controls = {
    wait_end_of_query: '1',
    buffer_size: '1000',
    send_progress_in_http_headers: '1',
    client_protocol_version: '54460',
  };
  assert.equal(
    await server.sql('SELECT 1', { ...controls, session_id: 'x', quota_key: '', role: 'r', stacktrace: '0' }),
    '1',
  );
});

test('settings and parameters of one request are gone in the next', async () => {
  const settings = "SELECT getSetting('max_threads'), getSetting('log_comment')";
  assert.equal(await server.sql(settings, { max_threads: '7', log_comment: "it's" }), "7\tit\\'s");
  const later = await Promise.all(
    Array.from({ length: 12 }, () => server.sql("SELECT getSetting('log_comment')")),
  );
  assert.deepEqual(new Set(later), new Set(['']));
  assert.equal(await server.sql('SELECT {x:UInt8}', { param_x: '1' }), '1');
  await assert.rejects(server.sql('SELECT {x:UInt8}'), /UNKNOWN_QUERY_PARAMETER/);
  await server.sql('USE system');
  assert.equal(await server.sql('SELECT currentDatabase()'), 'default');
});

test('parameters of queries that run at once do not mix', async () => {
  const asked = Array.from({ length: 60 }, (_, i) => String(i));
  const answers = await Promise.all(
    asked.map((i) => server.sql('SELECT {x:UInt32} FROM numbers(1)', { param_x: i })),
  );
  assert.deepEqual(answers, asked);
});

test('request bodies may be gzip, deflate, zstd and LZ4 frames', async () => {
  await server.sql('CREATE TABLE packed (a UInt32, s String) ENGINE = MergeTree ORDER BY a');
  const rows = Array.from({ length: 5000 }, (_, i) => `${i}\trow ${i % 7}\n`).join('');
  const query = { query: 'INSERT INTO packed FORMAT TSV' };
  await post(gzipSync(rows), query, { 'content-encoding': 'gzip' });
  await post(deflateSync(rows), query, { 'content-encoding': 'deflate' });
  await post(new Uint8Array(zstdCompressSync(rows)), query, { 'content-encoding': 'zstd' });
  assert.equal(await server.sql('SELECT count(), sum(a) FROM packed'), `15000\t${3 * 12_497_500}`);
  const lz4 = Buffer.from('BCJNGGRAp2gAAACAMjUwMDAJYQoyNTAwMQliCgAAAAAAAAAA', 'base64');
  const answer = await post(new Uint8Array(lz4), query, { 'content-encoding': 'lz4' });
  assert.equal(answer.headers.get('x-clickhouse-exception-code'), '271', 'a broken frame is refused');
});

test('statement and rows may share one compressed body', async () => {
  await server.sql('CREATE TABLE shared (a UInt32) ENGINE = MergeTree ORDER BY a');
  const answer = await post(
    gzipSync('INSERT INTO shared FORMAT CSV\n1\n2\n'),
    {},
    { 'content-encoding': 'gzip' },
  );
  assert.equal(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '').written_rows, '2');
});

test('a body that does not decompress, or in an unknown encoding, is refused and inserts nothing', async () => {
  await server.sql('CREATE TABLE unpacked (a UInt32) ENGINE = MergeTree ORDER BY a');
  const query = { query: 'INSERT INTO unpacked FORMAT CSV' };
  const cut = gzipSync('1\n2\n'.repeat(1000)).subarray(0, -20);
  assert.equal(
    (await post(cut, query, { 'content-encoding': 'gzip' })).headers.get('x-clickhouse-exception-code'),
    '271',
  );
  assert.equal(
    (await post('1\n', query, { 'content-encoding': 'rar' })).headers.get('x-clickhouse-exception-code'),
    '89',
  );
  assert.equal(await server.sql('SELECT count() FROM unpacked'), '0');
});

test('answers are compressed only when asked with enable_http_compression', async () => {
  const curl = (query: string): Buffer =>
    execFileSync('curl', ['-sS', '-H', 'Accept-Encoding: gzip', `${server.url}/?query=SELECT%201${query}`]);
  assert.equal(curl('').toString(), '1\n');
  assert.equal(gunzipSync(curl('&enable_http_compression=1')).toString(), '1\n');
});

test('a result larger than a chunk arrives whole', async () => {
  const answer = await post('SELECT number FROM numbers(2000000) FORMAT RowBinary');
  assert.equal((await answer.arrayBuffer()).byteLength, 16_000_000);
});

test('a mistake is shown in the statement as it was sent', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['SELECT foo frm bar', /failed at position 16 \(bar\)/],
    ['SELECT foo frm bar FORMAT JSON', /failed at position 16 \(bar\)/],
    ['SELECT 1 +', /failed at position 11 \(end of query\)/],
    ['SELECT 1,\n  2 frm bar x', /\(line 2, col 9\)/],
    ['CREATE TABEL x (a UInt8)', /failed at position 8 \(TABEL\)/],
    ['INSERT INTO t frm x', /Syntax error/],
  ];
  for (const [statement, expected] of cases) {
    const text = await (await post(statement)).text();
    assert.match(text, expected, text);
    assert.doesNotMatch(text, /OUTFILE '|INFILE '|\/\*query|FORMAT TabSeparated|\/tmp\/\d/, text);
  }
});

test('SHOW PROCESSLIST shows the ids and statements of clients', async () => {
  const answer = await post('SHOW PROCESSLIST FORMAT JSONEachRow', { query_id: 'looks' });
  const row = JSON.parse((await answer.text()).trim().split('\n')[0] ?? '');
  assert.equal(row.query_id, 'looks');
  assert.equal(row.query, 'SHOW PROCESSLIST FORMAT JSONEachRow');
});

test('the summary of INSERT … SELECT does not say that no row was written', async () => {
  await server.sql('CREATE TABLE copied (a UInt64) ENGINE = MergeTree ORDER BY a');
  const answer = await post('INSERT INTO copied SELECT number FROM numbers(10)');
  const { written_rows } = JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '');
  assert.notEqual(written_rows, '0');
});

test('a session_id is taken, but SET and USE say that no session is kept', async () => {
  const session = { session_id: 's' };
  assert.equal(await server.sql('SELECT 1', session), '1');
  for (const statement of ['SET max_threads = 1', 'USE system'])
    await assert.rejects(server.sql(statement, session), /Code: 48\. .*Sessions are not kept here/);
});

test('without a password, pages of other sites and foreign names are refused', async () => {
  for (const headers of [{ origin: 'http://evil.example' }, { host: 'evil.example' }]) {
    const { status, text } = await askWithHeaders(headers);
    assert.equal(status, 403, JSON.stringify(headers));
    assert.match(text, /^Code: 497\. DB::Exception: .*--password-file/);
  }
  assert.equal((await askWithHeaders({ origin: 'http://localhost:3000' })).status, 200);
});

/** fetch does not let a caller choose Host. */
async function askWithHeaders(headers: Record<string, string>): Promise<{ status: number; text: string }> {
  const { port } = new URL(server.url);
  return await new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path: '/?query=SELECT%201', headers }, async (answer) => {
      resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(await answer.toArray()).toString() });
    });
    sent.once('error', reject);
    sent.end();
  });
}
