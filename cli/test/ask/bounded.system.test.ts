/** Questions about single connections need little memory, however many ended. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readQuestions } from '@tcptrail/schemas/questions.ts';
import { boundTo } from '../../src/ask/bound.ts';
import { type Connection, createConnection } from '../../src/clickhouse/connection.ts';
import { createStoredEvents, migrated, type StoredEvents } from '../stored-events.ts';
import { day, iso } from './scene.ts';

const PARTS = 10;
const PART_ROWS = 100_000;
const MEMORY_BYTES = 100_000_000;

let stored: StoredEvents;
let connection: Connection;
before(async () => {
  stored = await createStoredEvents();
  await migrated(stored);
  for (let part = 0; part < PARTS; part++)
    await stored.execute(
      `INSERT INTO tcptrail.tcp_events (day, ts, host_id, host_name, boot_id, seq, kind, role, executable,
           parent_executable, pid, peer_address, peer_port, local_port, duration_us, socket_cookie, connections)
       SELECT '${day(0)}', toDateTime64('${iso(1)}', 6, 'UTC') + toIntervalMillisecond(number), 'host-a', 'host-a', 'boot',
           number, if(number % 100 = 99, 'open', 'close'), 'client', '/usr/bin/python3.11', '/usr/sbin/cron',
           1000 + number % 5000, '::ffff:10.9.0.1', 443,
           1024 + number % 60000, 700000, 1 + number - (number % 100 = 99), number % 100 != 99
       FROM numbers(${part * PART_ROWS}, ${PART_ROWS})`,
    );
  connection = createConnection({ url: stored.url, user: 'default' });
});
after(async () => {
  await connection?.close();
  await stored?.stop();
});

for (const [name, args] of [
  ['with-peer', ['--address', '10.9.0.1']],
  ['shells-that-connect', []],
] as const)
  test(`${name} of many ends`, async () => {
    const question = readQuestions().find((each) => each.name === name);
    assert.ok(question);
    const options = { since: iso(0), until: iso(60) };
    const { params } = boundTo(question, { args, options, nowMs: Date.now() });
    const rows = await connection.rows(`${question.sql} SETTINGS max_memory_usage = ${MEMORY_BYTES}`, params);
    assert.equal(rows.length, question.limit);
  });
