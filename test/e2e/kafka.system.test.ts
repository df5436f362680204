import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NEWEST, schemaUrl } from '@tcptrail/schemas/versions.ts';
import { createFleet, type Fleet } from '../harness/fleet.ts';
import { runLoad } from '../harness/load.ts';
import { pythonEnvironment } from '../harness/python.ts';
import { until } from '../harness/until.ts';
import type { Truth } from '../load/connections.ts';
import { assertSameLines, sidesStored, sidesTrue } from './sides.ts';

const ROOT = join(import.meta.dirname, '../..');
const READERS = join(ROOT, 'test/readers');
const COUNT = 1000;
const REFUSED = 50;
const HOSTS = ['host-0', 'host-1'];

let fleet: Fleet;
let truths: readonly Truth[] = [];
let restartedDuringLoad = false;

before(async () => {
  fleet = await createFleet({ agents: HOSTS.length, consumers: 2 });
  for (const consumer of fleet.consumers) consumer.start();
  for (const agent of fleet.agents) await agent.start();
  const load = runLoad({ count: COUNT, refused: REFUSED, seed: 42, pauseMs: 80 });
  await until('the first connections to be stored', async () => {
    const [row] = await fleet.rows<{ n: string }>('SELECT count() AS n FROM tcp_events').catch(() => []);
    return Number(row?.n ?? 0) > 0;
  });
  const first = await Promise.race([load, 'the load still runs']);
  restartedDuringLoad = first === 'the load still runs';
  await fleet.kafka.restart();
  truths = await load;
  for (const agent of fleet.agents) {
    await until('everything spooled to be published', () => agent.isRead('kafka'));
    await agent.part.end('SIGINT');
  }
  await until('everything spooled to be stored', () => fleet.caughtUp());
});
after(() => fleet?.stop());

test('two consumers shared the partitions, and the brokers went away while the load ran', () => {
  for (const { part } of fleet.consumers) assert.match(part.output(), /joined group tcptrail-consumer/);
  assert.ok(restartedDuringLoad);
});

for (const host of HOSTS) {
  test(`SQL finds each side of ${COUNT} connections exactly once as ${host} saw it, through Kafka`, async () => {
    assert.equal(truths.length, 2 * (COUNT - REFUSED) + REFUSED);
    assertSameLines(await sidesStored(fleet.rows, truths, { host }), sidesTrue(truths));
  });
}

test('no message was parked', async () => {
  assert.deepEqual(await fleet.rows('SELECT * FROM tcp_parked FINAL'), []);
});

test('completeness is exact on every CPU of both hosts', async () => {
  const rows = await fleet.rows<Record<string, string | boolean>>('SELECT * FROM completeness');
  assert.deepEqual([...new Set(rows.map((row) => row['host_id']))].toSorted(), HOSTS);
  for (const row of rows) {
    const text = JSON.stringify(row);
    assert.equal(row['exact'], true, text);
    for (const name of ['failed', 'unspooled', 'waiting', 'parked', 'lost', 'doubled'])
      assert.equal(Number(row[name]), 0, `${name}: ${text}`);
    assert.equal(row['stored'], row['rows'], text);
  }
});

test('rows name the topic and its cluster, partition and offset they came from, and a run keeps to one partition', async () => {
  const runs = await fleet.rows<{ origins: string[]; partitions: number[] }>(
    'SELECT groupUniqArray(origin) AS origins, groupUniqArray(origin_partition) AS partitions FROM tcp_batches GROUP BY host_id, agent_epoch',
  );
  assert.equal(runs.length, HOSTS.length);
  for (const run of runs) {
    assert.match(run.origins.join(), /^tcptrail\.events@[\w-]{22}$/);
    assert.equal(run.partitions.length, 1);
  }
});

/** Lines of a Python program, sorted, each once: what went twice through Kafka is there twice. */
async function linesOf(script: string, args: readonly string[]): Promise<string[]> {
  const bin = await pythonEnvironment('readers', join(READERS, 'requirements.txt'));
  const { stdout } = await promisify(execFile)(join(bin, 'python'), [join(READERS, script), ...args], {
    maxBuffer: 256 * 1024 * 1024,
  });
  return [...new Set(stdout.trim().split('\n'))].toSorted();
}

test('librdkafka and fastavro read with the published schema alone what clickhouse-connect finds stored', async () => {
  const fromKafka = await linesOf('kafka_events.py', [
    fleet.kafka.brokers.join(','),
    'tcptrail.events',
    fileURLToPath(schemaUrl(NEWEST)),
  ]);
  const { hostname, port } = new URL(fleet.server.url);
  const fromClickHouse = await linesOf('clickhouse_events.py', [hostname, port]);
  assert.ok(fromKafka.length > COUNT);
  assertSameLines(fromClickHouse, fromKafka);
});
