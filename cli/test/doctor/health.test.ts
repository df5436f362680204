import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { healthChecks } from '../../src/doctor/health.ts';
import type { RunFile } from '../../src/supervise/run-file.ts';

const run = (metrics: RunFile['metrics']): RunFile => ({
  supervisor: { pid: 1, start: '1' },
  url: '',
  route: { kind: 'spool' },
  parts: {},
  started: 0,
  ...(metrics ? { metrics } : {}),
});

test('what a part says of itself is told, as bad as it says it, with its remedy apart', async () => {
  let answer = { status: 200, text: 'ok' };
  let metrics = '';
  const server = createServer(({ url }, response) => {
    if (url === '/metrics') response.end(metrics);
    else response.writeHead(answer.status).end(`${answer.text}\n`);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const check = async () => (await healthChecks(run({ agent: 0, consumer: port })))[0];
  try {
    assert.equal((await check())?.status, 'ok');
    answer = {
      status: 200,
      text: 'Kafka does not answer at a:1 (ECONNREFUSED); start it, or set kafka.brokers',
    };
    assert.deepEqual(await check(), {
      name: 'health of the consumer',
      status: 'warn',
      found: 'Kafka does not answer at a:1 (ECONNREFUSED)',
      remedy: 'start it, or set kafka.brokers',
    });
    answer = { ...answer, status: 503 };
    assert.equal((await check())?.status, 'fail');
    answer = { ...answer, status: 200 };
    metrics = 'tcptrail_consumer_stopped 1\n';
    assert.equal((await check())?.status, 'fail', 'stopped until a person has looked');
  } finally {
    await new Promise((closed) => server.close(closed));
  }
  assert.equal((await check())?.status, 'warn', 'nobody answers');
});

test('a part whose port is not known is not asked', async () => {
  assert.deepEqual(await healthChecks(run({ agent: 0, consumer: 0 })), []);
  assert.deepEqual(await healthChecks(run(undefined)), []);
  assert.deepEqual(await healthChecks(undefined), []);
});
