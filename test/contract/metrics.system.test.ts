import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createTestAgent } from '../harness/agent.ts';
import { startPart } from '../harness/process.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
const CONSUMER = join(import.meta.dirname, '../../consumer/src/main.ts');

/** As the page has them, and as a part shows them: `name type meaning`. */
const onPage = (part: string): string[] =>
  [...PAGE.matchAll(/^\| `(tcptrail_\w+)` \| (\w+) \| .* \| (.*) \|$/gm)]
    .map(([, name, type, help]) => `${name} ${type} ${help}`)
    .filter((line) => line.startsWith(`tcptrail_${part}_`))
    .toSorted();

async function shown(url: string): Promise<string[]> {
  const text = await (await fetch(url)).text();
  const pattern = /^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm;
  return [...text.matchAll(pattern)].map(([, name, help, type]) => `${name} ${type} ${help}`).toSorted();
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-metrics-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

test('a running agent shows the metrics of the page and no others', async (t) => {
  const port = await freePort();
  const agent = createTestAgent(folderOf(t), { metrics: { port } });
  t.after(() => agent.stop());
  await agent.start();
  const lines = await shown(`http://127.0.0.1:${port}/metrics`);
  assert.ok(lines.length > 10);
  assert.deepEqual(lines, onPage('agent'));
});

test('a running consumer shows the metrics of the page and no others', async (t) => {
  const folder = folderOf(t);
  const consumer = startPart([CONSUMER, '--config', '/dev/null'], {
    TCPTRAIL_SPOOL_PATH: folder,
    // It serves metrics before, and while, ClickHouse does not answer.
    TCPTRAIL_CLICKHOUSE_URL: `http://127.0.0.1:${await freePort()}`,
    TCPTRAIL_METRICS_PORT: '0',
  });
  t.after(() => consumer.end('SIGKILL'));
  await consumer.said('/metrics"');
  const url = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(consumer.output())?.[0] ?? '';
  const lines = await shown(url);
  assert.ok(lines.length > 10);
  assert.deepEqual(lines, onPage('consumer'));
});
