import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { assertRow, type Made, makeOn, numbered, RUN } from './made-completeness.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());
const make = (): Promise<Made> => makeOn(server.url);

test('a parked batch is told from a lost one', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 });
  await made.park(2);
  await made.batch(3, numbered(8, 9), { seq_last: 9, rows: 9 });
  await made.batch(5, numbered(15, 16), { seq_last: 16, rows: 16 });
  assertRow((await made.completeness())[0], {
    missing: 8,
    parked: 3,
    lost: 5,
    waiting: 0,
    verdict: 'lost',
    exact: true,
  });
});

test('a parked last batch of a killed run is parked, not lost', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 });
  await made.park(2);
  await made.batch(1, [], { seq_last: 9, rows: 9 }, { run: RUN + 1e6 });
  assertRow((await made.completeness())[0], {
    missing: 5,
    parked: 5,
    lost: 0,
    verdict: 'parked',
    exact: true,
  });
});

test('a run that ends in parked batches is not exact until another account tells what they held', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 3), { seq_last: 3, rows: 3 });
  await made.park(2);
  const [row] = await made.completeness();
  assertRow(row, { numbered: 3, stored: 3, verdict: 'parked', exact: false });
  assert.match(row?.holes[0] ?? '', /^parked: the end of run .*, up to batch 2$/);
  await made.batch(1, [], { seq_last: 5, rows: 3 }, { run: RUN + 1 });
  assertRow((await made.completeness())[0], {
    numbered: 5,
    unspooled: 2,
    verdict: 'counted_loss',
    exact: true,
  });
});

/** A person's decision on a parked batch of the made origin. */
async function decide(made: Made, batchSeq: number, outcome: 'retried' | 'discarded'): Promise<void> {
  const { clickhouse } = made.database;
  await clickhouse.statement(
    `INSERT INTO ${clickhouse.database}.tcp_parked_outcomes (origin, origin_partition, origin_offset, outcome) VALUES ('spool:made', 0, ${batchSeq}, '${outcome}')`,
  );
}

test('rows of parked batches are discarded when a person gave up each of these, and named all the same', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 });
  await made.park(2);
  await made.park(3);
  await made.batch(4, numbered(9, 9), { seq_last: 9, rows: 9 });
  await decide(made, 2, 'discarded');
  assertRow((await made.completeness())[0], { missing: 4, parked: 4, discarded: 0, verdict: 'parked' });
  await decide(made, 3, 'discarded');
  const [row] = await made.completeness();
  assertRow(row, { missing: 4, parked: 0, discarded: 4, lost: 0, verdict: 'discarded', exact: true });
  assert.match(row?.holes[0] ?? '', /^discarded: 4 rows between batches/);
});

test('a run that ends in discarded batches says so, and is parked while one of them is not', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 3), { seq_last: 3, rows: 3 });
  await made.park(2);
  await made.park(3);
  await decide(made, 3, 'discarded');
  assertRow((await made.completeness())[0], { verdict: 'parked', exact: false });
  await decide(made, 2, 'discarded');
  const [row] = await made.completeness();
  assertRow(row, { verdict: 'discarded', exact: false });
  assert.match(row?.holes[0] ?? '', /^discarded: the end of run .*, up to batch 3$/);
});

test('a parked batch that was stored later is missing no more', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 });
  await made.park(2);
  await made.batch(2, numbered(5, 7), { seq_last: 7, rows: 7 });
  assertRow((await made.completeness())[0], { missing: 0, parked: 0, verdict: 'complete', exact: true });
});
