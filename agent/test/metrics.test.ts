import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { createMetrics, createMetricsServer } from '../src/metrics.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

test('names follow one rule', async () => {
  const text = await createMetrics().text();
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name, type]) => `${name} ${type}`);
  assert.ok(names.length > 10);
  for (const name of names) assert.match(name, /^tcptrail_agent_[a-z_]+(_total counter| gauge)$/);
});

test('a total kept elsewhere raises its counter and never lowers it', async () => {
  const metrics = createMetrics();
  metrics.raise('ring_failed_events', 5);
  metrics.raise('ring_failed_events', 5);
  metrics.raise('ring_failed_events', 7);
  metrics.raise('ring_failed_events', 2);
  assert.match(await metrics.text(), /tcptrail_agent_ring_failed_events_total 7\n/);
});

test('metrics and health are served, and a taken port is told', async () => {
  const metrics = createMetrics();
  metrics.add('rows', 3);
  const config = { host: '127.0.0.1', port: await freePort() };
  let reason = '';
  let held = '';
  const server = createMetricsServer(config, { metrics, unhealthy: () => reason, heldUp: () => held });
  await server.start();
  try {
    const get = (path: string) => fetch(`http://127.0.0.1:${config.port}${path}`);
    assert.match(await (await get('/metrics')).text(), /tcptrail_agent_rows_total 3\n/);
    assert.equal((await get('/healthz')).status, 200);
    held = 'Kafka does not answer';
    const waiting = await get('/healthz');
    assert.deepEqual([waiting.status, await waiting.text()], [200, 'Kafka does not answer\n']);
    reason = 'spool: ENOSPC';
    const sick = await get('/healthz');
    assert.deepEqual([sick.status, await sick.text()], [503, 'spool: ENOSPC\n']);
    assert.equal((await get('/')).status, 404);
    const second = createMetricsServer(config, { metrics, unhealthy: () => '', heldUp: () => '' });
    await assert.rejects(second.start(), { code: 'EADDRINUSE' });
  } finally {
    await server.stop();
  }
});
