import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { NOW_US } from '../../../test/spool-writer.ts';
import { createDatabase } from '../database.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const SECOND_US = 1_000_000;

test('each rule of each host is one row: its counts over runs, and when it last took an event', async () => {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  const put = (host_id: string, run: number, batch_seq: number, rules: readonly [string, number, number][]) =>
    database.put(
      {
        host_id,
        host_name: `${host_id}.example`,
        agent_epoch: NOW_US + run * SECOND_US,
        batch_seq,
        batch_ts: NOW_US + (10 * run + batch_seq) * SECOND_US,
        rules: rules.map(([rule, folded, filtered]) => ({ rule, folded, filtered })),
      },
      [],
    );
  await put('a', 0, 1, [['fold', 5, 0]]);
  await put('a', 0, 2, [
    ['fold', 7, 0],
    ['scrapes', 0, 2],
  ]);
  await put('a', 0, 3, [
    ['fold', 7, 0],
    ['scrapes', 0, 3],
  ]);
  await put('a', 1, 1, [['fold', 4, 0]]);
  await put('b', 0, 1, [['fold', 1, 0]]);
  await put('c', 0, 1, []);
  const rows = await database.rows(
    `SELECT host_id, host_name, rule, folded, filtered,
            dateDiff('second', fromUnixTimestamp64Micro(${NOW_US}), first_ts) AS first,
            dateDiff('second', fromUnixTimestamp64Micro(${NOW_US}), last_ts) AS last
     FROM {db}.exclusions ORDER BY host_id, rule`,
  );
  assert.deepEqual(
    rows.map((row) => Object.values(row as object).map(String)),
    [
      ['a', 'a.example', 'fold', '11', '0', '1', '11'],
      ['a', 'a.example', 'scrapes', '0', '3', '2', '3'],
      ['b', 'b.example', 'fold', '1', '0', '1', '1'],
    ],
  );
});
