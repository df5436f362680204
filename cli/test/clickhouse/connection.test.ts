import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createConnection } from '../../src/clickhouse/connection.ts';

test('a user who may change no setting is answered without it, and asks without it from then on', async () => {
  const asked: boolean[] = [];
  const server = createServer((request, response) => {
    const isSet = request.url?.includes('asterisk_include_alias_columns=1') ?? false;
    asked.push(isSet);
    request.resume();
    if (!isSet) return response.end('{"n":1}\n');
    response.writeHead(500, { 'x-clickhouse-exception-code': '164' });
    response.end(
      "Code: 164. DB::Exception: Cannot modify 'asterisk_include_alias_columns' setting in readonly mode. (READONLY) (version 26.7.2.1)",
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = createConnection({ url: `http://127.0.0.1:${port}`, user: 'analyst' }, {});
  try {
    for (let again = 0; again < 2; again++) {
      const { stream } = await connection.ask({ query: 'SELECT *', format: 'JSONEachRow', isWhole: true });
      assert.equal((await stream.toArray()).join(''), '{"n":1}\n');
    }
    assert.deepEqual(asked, [true, false, false]);
  } finally {
    await connection.close();
    server.close();
  }
});
