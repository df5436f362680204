import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startKafka } from '../../test/harness/kafka.ts';
import type { RunFile } from '../src/supervise/run-file.ts';
import { isOneSentence, run } from './run-command.ts';
import { until } from './until.ts';
import {
  alive,
  cleanUp,
  connection,
  folder,
  hasPrinted,
  type Place,
  PORTS,
  place,
  ready,
  up,
} from './ups.ts';

const KAFKA = ['--kafka', '--kafka-port', '0'];

after(cleanUp);

const cursors = (at: Place): readonly string[] => readdirSync(join(at.home, 'spool/cursor')).toSorted();

async function ask<Row>({ url }: RunFile, sql: string): Promise<readonly Row[]> {
  const { stdout, stderr, code } = await run(['query', '--json', '--url', url, sql]);
  assert.equal(code, 0, stderr);
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

const stored = async (run: RunFile, ports: readonly number[]): Promise<readonly number[]> =>
  (
    await ask<{ port: number }>(
      run,
      `SELECT local_port AS port FROM tcp_events WHERE local_port IN (${ports.join(', ')}) AND kind = 'close' AND pid = ${process.pid} ORDER BY port`,
    )
  ).map(({ port }) => port);

/** What a stop must leave exact: nothing lost on the way, nothing twice. */
async function assertExact(running: RunFile): Promise<void> {
  const [sums] = await ask<Record<string, string>>(
    running,
    'SELECT toString(sum(c.doubled)) AS doubled, toString(sum(c.lost)) AS lost, toString(sum(c.parked)) AS parked FROM completeness AS c',
  );
  assert.deepEqual(sums, { doubled: '0', lost: '0', parked: '0' });
  const twice = await ask(
    running,
    'SELECT host_id, boot_id, kernel_epoch, cpu, seq FROM tcp_events GROUP BY ALL HAVING count() > 1',
  );
  assert.deepEqual(twice, []);
}

test('with Kafka between, without, and with again, every connection is stored once', async () => {
  const at = place();
  const first = up(at, '--json', ...KAFKA);
  const withKafka = await ready(at, first);
  assert.deepEqual(Object.keys(withKafka.parts).toSorted(), ['agent', 'clickhouse', 'consumer', 'kafka']);
  assert.equal(withKafka.route.kind, 'kafka');
  assert.match(first.stderr(), /^✔ Kafka \S+ at 127\.0\.0\.1:\d+, as tcptrail$/m);
  const status = readFileSync(`/proc/${withKafka.parts['kafka']?.pid}/status`, 'utf8');
  assert.doesNotMatch(status, /^Uid:\s+0/m);
  const ports = [await connection()];
  await until('the connection to be printed', () => hasPrinted(first, ports[0]));

  const checked = await run(['doctor', ...at.args, '--json']);
  const checks = checked.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; status: string; found: string });
  const bad = checks.filter((check) => check.status !== 'ok').map(({ name, found }) => `${name}: ${found}`);
  assert.deepEqual(bad, []);
  const found = (name: string): string => checks.find((check) => check.name === name)?.found ?? '';
  assert.match(found('consumer group'), /^tcptrail-consumer: 1 member, /);
  assert.match(found('events settings'), /as planned/);

  ports.push(await connection());
  first.child.kill('SIGINT');
  const ended = await first.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.doesNotMatch(ended.stderr, / wait in /);
  assert.deepEqual(alive(withKafka), []);
  assert.deepEqual(cursors(at), ['kafka.json']);

  const second = up(at, '--quiet');
  const withSpool = await ready(at, second);
  assert.equal(withSpool.route.kind, 'spool');
  assert.deepEqual(
    await stored(withSpool, ports),
    ports.toSorted((a, b) => a - b),
  );
  ports.push(await connection());
  await until('it to be stored', async () => (await stored(withSpool, ports)).length === ports.length);
  assert.deepEqual(cursors(at), ['clickhouse.json']);
  await assertExact(withSpool);
  // The consumer cannot store what is recorded from now on.
  process.kill(withSpool.parts['consumer']?.pid ?? 0, 'SIGSTOP');
  ports.push(await connection());
  process.kill(withSpool.supervisor.pid, 'SIGKILL');
  process.kill(withSpool.parts['consumer']?.pid ?? 0, 'SIGKILL');
  await second.ended;

  const third = up(at, '--quiet', ...KAFKA);
  const again = await ready(at, third);
  assert.match(third.stderr(), /^! storing what waits in \S+\/spool, before Kafka takes over$/m);
  ports.push(await connection());
  await until('it to be stored', async () => (await stored(again, ports)).length === ports.length);
  assert.deepEqual(cursors(at), ['kafka.json']);
  third.child.kill('SIGTERM');
  assert.equal((await third.ended).code, 0);

  const fourth = up(at, '--quiet');
  const last = await ready(at, fourth);
  assert.deepEqual(
    await stored(last, ports),
    ports.toSorted((a, b) => a - b),
  );
  await assertExact(last);
  assert.equal((await run(['stop', ...at.args])).code, 0);
  assert.equal((await fourth.ended).code, 0);
});

test('Kafka that is killed is started again on its port, and recording goes on', async () => {
  const at = place();
  const running = up(at, '--json', ...KAFKA);
  const before = await ready(at, running);
  process.kill(before.parts['kafka']?.pid ?? 0, 'SIGKILL');
  await until('Kafka to run again', () => running.stderr().includes('Kafka runs again'));
  const port = await connection();
  await until('the connection to be printed', () => hasPrinted(running, port));
  running.child.kill('SIGINT');
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.doesNotMatch(ended.stderr, / wait in /);
});

test('an agent that was killed while it sent keeps up on Kafka, with one sentence and exit code 1', async () => {
  const at = place();
  const first = up(at, '--quiet', ...KAFKA);
  await ready(at, first);
  first.child.kill('SIGTERM');
  await first.ended;
  const file = join(at.home, 'spool/cursor/kafka.json');
  const cursor = JSON.parse(readFileSync(file, 'utf8')) as { segment: string; position: number };
  const doubt = { segment: cursor.segment, position: cursor.position };
  writeFileSync(file, JSON.stringify({ ...cursor, position: 0, doubt }));
  const refused = await run(['up', ...at.args, ...PORTS]);
  assert.equal(refused.code, 1);
  assert.ok(isOneSentence(refused.stderr), refused.stderr);
  assert.match(refused.stderr, /could double rows; run 'tcptrail up --kafka' once more and stop it cleanly/);
  const second = up(at, '--quiet', ...KAFKA);
  await ready(at, second);
  second.child.kill('SIGTERM');
  assert.equal((await second.ended).code, 0);
  const third = up(at, '--quiet');
  await assertExact(await ready(at, third));
});

test('where Kafka may hold what is not stored up says so, until a run with Kafka has stored it', async () => {
  const at = place();
  const first = up(at, '--quiet', ...KAFKA);
  const { supervisor } = await ready(at, first);
  const unread = join(at.home, 'kafka-unread');
  process.kill(supervisor.pid, 'SIGKILL');
  await first.ended;
  assert.equal(readFileSync(unread, 'utf8'), 'local\n');
  // As the end of a run with other brokers leaves it that Kafka did not survive.
  writeFileSync(unread, 'local\nother:9092\n');
  const second = up(at, '--quiet', ...KAFKA);
  await ready(at, second);
  second.child.kill('SIGTERM');
  assert.equal((await second.ended).code, 0);
  const other =
    "! Kafka at other:9092 may hold what is not stored; 'tcptrail up --brokers other:9092' stores it";
  assert.ok(second.stderr().includes(`${other}\n`), second.stderr());
  assert.doesNotMatch(second.stderr(), /local Kafka may hold/);
  assert.equal(readFileSync(unread, 'utf8'), 'other:9092\n');

  const third = up(at, '--quiet');
  await ready(at, third);
  assert.ok(third.stderr().includes(`${other}\n`), third.stderr());
});

test('up takes brokers that run already, and starts none', async () => {
  const kafka = await startKafka();
  try {
    const at = place();
    const running = up(at, '--json', '--brokers', kafka.brokers.join(','));
    const processes = await ready(at, running);
    assert.deepEqual(Object.keys(processes.parts).toSorted(), ['agent', 'clickhouse', 'consumer']);
    assert.match(running.stderr(), /^✔ Kafka at 127\.0\.0\.1:\d+: 1 broker, not started here$/m);
    const port = await connection();
    await until('the connection to be printed', () => hasPrinted(running, port));
    const described = await run(['topic', 'describe', '--json', '--brokers', kafka.brokers.join(',')]);
    assert.match(described.stdout, /"group":\{"name":"tcptrail-consumer","state":"Stable"/);
    running.child.kill('SIGINT');
    const ended = await running.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.doesNotMatch(ended.stderr, / wait in /);
  } finally {
    await kafka.stop();
  }
});

test('Java that is too old is one sentence with exit code 3, and nothing is started', async () => {
  const at = place();
  const bin = mkdtempSync(join(folder, 'bin-'));
  const java = join(bin, 'java');
  writeFileSync(java, '#!/bin/sh\necho \'openjdk version "11.0.2"\' >&2\n');
  chmodSync(java, 0o755);
  const ended = await run(['up', ...at.args, ...PORTS, ...KAFKA], {
    env: { PATH: `${bin}:${process.env['PATH']}` },
  });
  assert.equal(ended.code, 3);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  assert.match(ended.stderr, /java is 11\.0\.2.*install Java 17 or newer, or run infra\/deps\.sh kafka/);
  assert.equal(existsSync(join(at.home, 'clickhouse')), false);
});

test('brokers that do not answer are one sentence with exit code 1', async () => {
  const at = place();
  const ended = await run(['up', ...at.args, ...PORTS, '--brokers', '127.0.0.1:1']);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /^tcptrail: Kafka does not answer at 127\.0\.0\.1:1 /m);
  assert.doesNotMatch(ended.stderr, /\n\s+at /);
});
