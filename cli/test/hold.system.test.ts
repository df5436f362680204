import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepHeld } from '../../consumer/src/keep/held-events.ts';
import { insertParked } from '../../consumer/src/store/parked.ts';
import { NOW_US } from '../../test/spool-writer.ts';
import { DAY_US, dayOf, type Kept, lines, useKeptDatabases, YESTERDAY } from './kept-database.ts';
import { isOneSentence, run } from './run-command.ts';

const createKept = useKeptDatabases();

/** Nobody else is there to take the lock. */
const HELD = { assertHeld: () => {} };
const NEXT_WEEK = dayOf(NOW_US + 7 * DAY_US);
const WHY = ['--reason', 'case 4711', '--author', 'legal', '--until', NEXT_WEEK];
const [ALICE, BOB] = ['203.0.113.80', '198.51.100.7'];

async function filled(): Promise<Kept> {
  const kept = await createKept();
  for (const [seq, host] of [
    [1, 'host-a'],
    [2, 'host-b'],
  ] as const)
    await kept.put(
      { batch_seq: seq, host_id: host, host_name: host, batch_ts: NOW_US - DAY_US },
      [ALICE, BOB, BOB].map((address, index) => ({ seq: seq * 10 + index, peer: { address, port: 443 } })),
    );
  return kept;
}

async function add(
  kept: Kept,
  ...args: readonly string[]
): Promise<{ hold_id: string; rows_copied: number }> {
  const [added] = await lines<{ hold_id: string; rows_copied: number }>([
    ...['hold', 'add', ...kept.at, ...WHY],
    ...args,
  ]);
  assert.ok(added);
  return added;
}

const held = (kept: Kept) =>
  kept.rows(
    'SELECT host_id, peer_address, count() AS n FROM {db}.held_events FINAL GROUP BY ALL ORDER BY host_id, peer_address',
  );
const forget = (kept: Kept, ...args: readonly string[]) => run(['forget', ...kept.at, '--yes', ...args]);

test('held rows outlive their table, each once, and those that come later too', async () => {
  const kept = await filled();
  const { rows_copied: copied } = await add(kept, '--address', ALICE);
  assert.equal(copied, 2);
  await kept.put({ batch_seq: 3, host_id: 'host-c', batch_ts: NOW_US - DAY_US }, [
    { seq: 1, peer: { address: ALICE, port: 80 } },
  ]);
  assert.deepEqual(await keepHeld(kept.clickhouse, HELD), { copied: 1, released: 0 });
  assert.deepEqual(await keepHeld(kept.clickhouse, HELD), { copied: 0, released: 0 });
  const differing = await kept.rows(
    `SELECT * FROM {db}.tcp_events WHERE peer_address = toIPv6('${ALICE}') EXCEPT SELECT * FROM {db}.held_events FINAL`,
  );
  assert.deepEqual(differing, []);
  await kept.sql(`ALTER TABLE {db}.tcp_events DROP PARTITION '${YESTERDAY}'`);
  assert.deepEqual(await keepHeld(kept.clickhouse, HELD), { copied: 0, released: 0 });
  assert.deepEqual(
    await held(kept),
    ['host-a', 'host-b', 'host-c'].map((host) => ({ host_id: host, peer_address: `::ffff:${ALICE}`, n: 1 })),
  );
});

test('a copy that was killed amid its days is finished by the next one, and counts each row once', async () => {
  const kept = await filled();
  await kept.put({ batch_seq: 3 }, [{ seq: 1, peer: { address: ALICE, port: 80 } }]);
  await kept.sql(
    `INSERT INTO {db}.holds (hold_id, kind, value, until, version) VALUES ('x', 'address', '${ALICE}', '${NEXT_WEEK}', 1)`,
  );
  const { clickhouse } = kept;
  const reached = Promise.withResolvers<void>();
  let left = 1;
  const dying = {
    ...clickhouse,
    async statement(sql: string) {
      if (left-- > 0) return await clickhouse.statement(sql);
      reached.resolve();
      return await new Promise<void>(() => {});
    },
  };
  void keepHeld(dying, HELD);
  await reached.promise;
  // The INSERT of the day may have been answered to nobody.
  await kept.sql(`INSERT INTO {db}.held_events SELECT * FROM {db}.held_events`);
  await keepHeld(clickhouse, HELD);
  const [row] = await kept.rows(
    'SELECT count() AS n, uniqExact(host_id, cpu, seq) AS u FROM {db}.held_events FINAL',
  );
  assert.deepEqual(row, { n: 3, u: 3 });
});

test('rows that others took the place of are copied, though there are as many as before', async () => {
  const kept = await filled();
  await add(kept, '--all');
  await kept.sql(
    `ALTER TABLE {db}.tcp_events DELETE WHERE host_id = 'host-a' AND seq = 10 SETTINGS mutations_sync = 2`,
  );
  await kept.put({ batch_seq: 9, host_id: 'host-c', batch_ts: NOW_US - DAY_US }, [{ seq: 1 }]);
  assert.deepEqual(await keepHeld(kept.clickhouse, HELD), { copied: 1, released: 0 });
  assert.deepEqual(await keepHeld(kept.clickhouse, HELD), { copied: 0, released: 0 });
  const [row] = await kept.rows(
    "SELECT count() AS n, countIf(host_id = 'host-c') AS new FROM {db}.held_events FINAL",
  );
  assert.deepEqual(row, { n: 7, new: 1 });
});

test('copies are told apart in slices of bounded memory, and none is lacking afterwards', async () => {
  const kept = await filled();
  await add(kept, '--all');
  await kept.put(
    { batch_seq: 9, host_id: 'host-c', batch_ts: NOW_US - DAY_US },
    Array.from({ length: 20 }, (_, index) => ({ seq: index + 1 })),
  );
  const inserts: string[] = [];
  const watched = {
    ...kept.clickhouse,
    async statement(sql: string) {
      inserts.push(sql);
      // At most 4 of the 6 copies, as they are spread, stand in one slice of three.
      await kept.clickhouse.statement(`${sql}, max_rows_in_set = 4`);
    },
  };
  assert.deepEqual(await keepHeld(watched, HELD, 2), { copied: 20, released: 0 });
  assert.equal(inserts.length, 3);
  assert.deepEqual(await keepHeld(kept.clickhouse, HELD, 2), { copied: 0, released: 0 });
  const lacking = await kept.rows(
    'SELECT * FROM {db}.tcp_events EXCEPT SELECT * FROM {db}.held_events FINAL',
  );
  assert.deepEqual(lacking, []);
});

test('a hold that was written and not copied says its id, and that the copy is tried again', async () => {
  const kept = await filled();
  await kept.sql('ALTER TABLE {db}.held_events MODIFY SETTING table_readonly = 1');
  const ended = await run(['hold', 'add', ...kept.at, ...WHY, '--all']);
  await kept.sql('ALTER TABLE {db}.held_events MODIFY SETTING table_readonly = 0');
  assert.equal(ended.code, 1);
  assert.ok(isOneSentence(ended.stderr), ended.stderr);
  const [hold] = await kept.rows('SELECT hold_id FROM {db}.holds FINAL');
  assert.match(
    ended.stderr,
    new RegExp(`hold ${hold?.['hold_id']} binds, and its rows are not all .*consumer tries the copy again`),
  );
  assert.deepEqual(await keepHeld(kept.clickhouse, HELD), { copied: 6, released: 0 });
});

test('who lost the lock amid the hours copies no more', async () => {
  const kept = await filled();
  await kept.put({ batch_seq: 3, batch_ts: NOW_US - 2 * DAY_US }, [{ seq: 1 }]);
  await kept.sql(
    `INSERT INTO {db}.holds (hold_id, kind, until, version) VALUES ('x', 'all', '${NEXT_WEEK}', 1)`,
  );
  let left = 2;
  const losing = {
    assertHeld() {
      if (left-- === 0) throw new Error('lost');
    },
  };
  await assert.rejects(keepHeld(kept.clickhouse, losing), /lost/);
  const copied = await kept.rows('SELECT DISTINCT toString(day) AS day FROM {db}.held_events');
  assert.deepEqual(copied, [{ day: dayOf(NOW_US - 2 * DAY_US) }]);
  assert.deepEqual(await keepHeld(kept.clickhouse, HELD), { copied: 6, released: 0 });
});

test('a hold on a host by its name binds what is parked of it too, and so does one on everything', async () => {
  const kept = await createKept();
  await kept.put({ host_id: 'id-of-a', host_name: 'web-1', batch_ts: NOW_US - DAY_US }, [{ seq: 1 }]);
  await insertParked(kept.clickhouse, [
    {
      origin: 'topic',
      originPartition: 0,
      originOffset: 90,
      identity: { hostId: 'id-of-a', agentEpoch: NOW_US, batchSeq: 2 },
      reason: 'SEGMENT_CORRUPT',
      detail: '',
    },
    {
      origin: 'spool:id-of-a:x',
      originPartition: 0,
      originOffset: 91,
      identity: { hostId: '', agentEpoch: 0, batchSeq: 0 },
      reason: 'SEGMENT_CORRUPT',
      detail: '',
    },
  ]);
  await kept.sql(
    `INSERT INTO {db}.tcp_parked_outcomes (origin, origin_partition, origin_offset, outcome, why) VALUES ('topic', 0, 90, 'discarded', 'test')`,
  );
  const held = async () => {
    const rows = await lines<{ table: string; rows: number; held: number }>([
      ...['forget', ...kept.at, '--host', 'id-of-a', '--plan'],
    ]);
    return rows.filter(({ table }) => table.startsWith('tcp_')).map((row) => [row.table, row.rows, row.held]);
  };
  const all = [
    ['tcp_events', 0, 1],
    ['tcp_batches', 0, 1],
    ['tcp_parked_outcomes', 0, 1],
    ['tcp_parked', 0, 2],
  ];
  await add(kept, '--host', 'web-1');
  assert.deepEqual(await held(), all);
  await kept.sql(`TRUNCATE TABLE {db}.holds`);
  await add(kept, '--all');
  assert.deepEqual(await held(), all);
});

test('forget refuses what is held, naming who and until when; --except-held forgets the others', async () => {
  const kept = await filled();
  const { hold_id: id } = await add(kept, '--host', 'host-a');
  const before = await kept.sumOf('tcp_events');
  const refused = await forget(kept, '--address', BOB);
  assert.equal(refused.code, 1);
  assert.ok(isOneSentence(refused.stderr), refused.stderr);
  assert.match(
    refused.stderr,
    new RegExp(`4 rows are under a legal hold, .*: hold ${id} of legal until ${NEXT_WEEK} \\(case 4711\\)`),
  );
  assert.deepEqual(await kept.sumOf('tcp_events'), before);
  const done = await forget(kept, '--address', BOB, '--except-held');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /2 rows forgotten in .*; 4 rows under a legal hold stay\n/);
  const left = await kept.rows(
    `SELECT host_id, count() AS n FROM {db}.tcp_events WHERE peer_address = toIPv6('${BOB}') GROUP BY host_id`,
  );
  assert.deepEqual(left, [{ host_id: 'host-a', n: 2 }]);
});

test('a hold on everything refuses every forget; one that ended or expired binds nobody', async () => {
  const kept = await filled();
  const { hold_id: id } = await add(kept, '--all');
  assert.equal((await forget(kept, '--host', 'host-b')).code, 1);
  const list = () =>
    lines<{ hold_id: string; binds: boolean; rows: number }>(['hold', 'list', ...kept.at, '--all']);
  const brief = async () => (await list()).map(({ hold_id, binds, rows }) => [hold_id, binds, rows]);
  assert.deepEqual(await brief(), [[id, true, 6]]);
  const ended = await run(['hold', 'end', ...kept.at, id]);
  assert.equal(ended.stdout, `hold ${id} has ended; 6 rows deleted from held_events\n`);
  assert.deepEqual(await brief(), [[id, false, 0]]);
  await kept.sql(
    `INSERT INTO {db}.holds (hold_id, kind, until, version) VALUES ('old', 'all', '${YESTERDAY}', 1)`,
  );
  const done = await forget(kept, '--host', 'host-b');
  assert.equal(done.code, 0, done.stderr);
  const again = await run(['hold', 'end', ...kept.at, id]);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /there is no hold .* that binds/);
});

test('rows in held_events that no hold binds any longer are forgotten', async () => {
  const kept = await filled();
  await add(kept, '--host', 'host-a');
  await kept.sql(
    `ALTER TABLE {db}.holds UPDATE until = '${YESTERDAY}' WHERE true SETTINGS mutations_sync = 2`,
  );
  const done = await forget(kept, '--address', ALICE);
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(await held(kept), [{ host_id: 'host-a', peer_address: `::ffff:${BOB}`, n: 2 }]);
  assert.deepEqual(await keepHeld(kept.clickhouse, HELD), { copied: 0, released: 2 });
  assert.deepEqual(await held(kept), []);
});

test('a hold needs one subject and a day to come', async () => {
  const kept = await createKept();
  for (const [args, problem] of [
    [WHY, /give one of --address, --host, --uid and --all/],
    [[...WHY, '--all', '--uid', '5'], /give one of/],
    [[...WHY.slice(0, 4), '--until', YESTERDAY, '--all'], /is over/],
  ] as const) {
    const ended = await run(['hold', 'add', ...kept.at, ...args]);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, problem);
  }
});

test('held_events has the columns of tcp_events: a migration that adds one adds it to both', async () => {
  const kept = await createKept();
  const columns = (table: string) =>
    kept.rows(
      `SELECT name, type, default_kind, default_expression, comment FROM system.columns WHERE database = '{db}' AND table = '${table}' ORDER BY position`,
    );
  assert.deepEqual(await columns('held_events'), await columns('tcp_events'));
});
