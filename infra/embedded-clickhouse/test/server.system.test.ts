import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { createConfig } from '../src/config.ts';
import { createServer } from '../src/server.ts';
import { temporaryFolder } from './embedded.ts';

test('the server runs inside another process, stops, and starts again with its tables', async () => {
  const config = createConfig({ dataDir: temporaryFolder(), port: 0 });
  const log = pino({ level: 'silent' });
  for (const statement of [
    'CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a',
    'INSERT INTO t VALUES (1)',
    'SELECT a FROM t',
  ]) {
    const server = createServer(config, { log });
    const { port } = await server.start();
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: statement });
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), statement.startsWith('SELECT') ? '1\n' : '');
    await server.stop();
  }
});
