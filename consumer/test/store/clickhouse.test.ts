import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createClickHouse } from '../../src/store/clickhouse.ts';

test('nothing sends values through command(), which drops them silently', () => {
  const folder = join(import.meta.dirname, '../../src');
  const files = globSync('**/*.ts', { cwd: folder });
  assert.ok(files.includes('store/clickhouse.ts'));
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [call] of text.matchAll(/\.command\(\{[\s\S]*?\}\)/g)) {
      assert.doesNotMatch(call, /values/, `${file}: ${call}`);
    }
  }
});

test('an answer of something other than ClickHouse is told by its status, whatever its body holds', async (t) => {
  let answer = { status: 431, text: '' };
  const server = createServer((_, response) => response.writeHead(answer.status).end(answer.text));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const clickhouse = createClickHouse({
    url,
    username: 'default',
    password: '',
    database: 'db',
    requestWaitMsMax: 5_000,
  });
  t.after(async () => {
    await clickhouse.close();
    await new Promise((closed) => server.close(closed));
  });
  const says = (status: number) => ({
    code: 'CLICKHOUSE_UNREACHABLE',
    message: `at ${url} answers something other than ClickHouse (HTTP ${status}); look at the proxy before it, or set clickhouse.url`,
  });
  await assert.rejects(clickhouse.query('SELECT 1'), says(431));
  answer = { status: 502, text: '<html><h1>Bad Gateway</h1></html>' };
  await assert.rejects(clickhouse.statement('SELECT 1'), says(502));
  await assert.rejects(clickhouse.insert({ query: '', body: new Uint8Array(1), settings: {} }), says(502));
  answer = { status: 500, text: 'Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_READ_ONLY)' };
  await assert.rejects(clickhouse.statement('SELECT 1'), { code: 'CLICKHOUSE_UNWRITABLE' });
});
