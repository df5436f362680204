import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { account, assertRow, type Made, makeOn, numbered, RUN } from './made-completeness.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());
const make = (): Promise<Made> => makeOn(server.url);

test('all that was numbered is stored: complete', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 });
  await made.batch(2, numbered(5, 9), { seq_last: 9, rows: 9 });
  const rows = await made.completeness();
  assert.equal(rows.length, 1);
  assertRow(rows[0], {
    numbered: 9,
    rows: 9,
    stored: 9,
    doubled: 0,
    missing: 0,
    waiting: 0,
    parked: 0,
    lost: 0,
    unspooled: 0,
    skipped_runs: 2,
    verdict: 'complete',
    exact: true,
    holes: [],
  });
});

test('failed reserves, folded and filtered events are told apart and leave nothing missing', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 4), { seq_last: 10, rows: 4, failed: 3, folded: 2, filtered: 1 });
  assertRow((await made.completeness())[0], {
    numbered: 10,
    failed: 3,
    folded: 2,
    filtered: 1,
    unspooled: 0,
    missing: 0,
    verdict: 'counted_loss',
    exact: true,
  });
});

test('a batch that the spool passed over is lost', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 });
  await made.batch(3, numbered(8, 9), { seq_last: 9, rows: 9 });
  const [row] = await made.completeness();
  assertRow(row, {
    rows: 9,
    stored: 6,
    missing: 3,
    lost: 3,
    parked: 0,
    waiting: 0,
    verdict: 'lost',
    exact: true,
  });
  assert.deepEqual(row?.holes, [`lost: 3 rows between batches ${RUN}/1 and ${RUN}/3`]);
});

test('a batch that a topic may still bring is waiting', async () => {
  const made = await make();
  const origin = 'tcptrail.events';
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 }, { origin });
  await made.batch(3, numbered(8, 9), { seq_last: 9, rows: 9 }, { origin });
  assertRow((await made.completeness())[0], {
    missing: 3,
    waiting: 3,
    lost: 0,
    verdict: 'waiting',
    exact: true,
  });
});

test('the last batch of a killed run that did not come is seen by the account of the next run', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 });
  await made.batch(1, [], { seq_last: 9, rows: 9 }, { run: RUN + 1e6 });
  assertRow((await made.completeness())[0], { missing: 5, lost: 5, verdict: 'lost', exact: true });
});

test('rows stored twice are doubled and never complete', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 });
  await made.database.put({ agent_epoch: RUN, kernel_epoch: RUN, batch_seq: 1, cpus: [] }, numbered(2, 3));
  assertRow((await made.completeness())[0], {
    doubled: 2,
    stored: 4,
    missing: 0,
    verdict: 'doubled',
    exact: false,
  });
});

test('numbers of an account that are neither rows nor counted otherwise are unspooled', async () => {
  const made = await make();
  const next = { run: RUN + 1e6 };
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 });
  await made.batch(2, numbered(5, 6), { seq_last: 4, rows: 4, rows_ahead: 2 });
  await made.batch(1, [], { seq_last: 20, rows: 6, failed: 1 }, next);
  await made.batch(2, numbered(1, 3), { seq_last: 3, rows: 3 }, { ...next, kernelEpoch: RUN + 1e6 });
  const rows = await made.completeness();
  assert.equal(rows.length, 2);
  assertRow(rows[0], {
    numbered: 20,
    stored: 6,
    failed: 1,
    unspooled: 13,
    missing: 0,
    lost: 0,
    verdict: 'counted_loss',
    exact: true,
  });
  assertRow(rows[1], { numbered: 3, stored: 3, unspooled: 0, verdict: 'complete', exact: true });
});

test('rows beyond the account are neither stored nor missing until the next sample', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 6), { seq_last: 4, rows: 4, rows_ahead: 2 });
  assertRow((await made.completeness())[0], {
    numbered: 4,
    stored: 4,
    rows_ahead: 2,
    missing: 0,
    doubled: 0,
    verdict: 'complete',
    exact: true,
  });
});

test('what a full spool dropped is counted, not lost', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 4), { seq_last: 4, rows: 4 });
  await made.batch(3, numbered(8, 9), { seq_last: 9, rows: 9, spool_dropped: 3 });
  assertRow((await made.completeness())[0], {
    rows: 9,
    spool_dropped: 3,
    stored: 6,
    missing: 0,
    lost: 0,
    verdict: 'counted_loss',
    exact: true,
  });
});

test('rows that vanished from a stored batch are unexplained, not complete', async () => {
  const made = await make();
  await made.batch(1, numbered(1, 3), { seq_last: 4, rows: 3 });
  const [row] = await made.completeness();
  assertRow(row, { unspooled: 1, verdict: 'counted_loss' });
  await made.batch(2, numbered(5, 5), { seq_last: 4, rows: 5 });
  assertRow((await made.completeness())[0], { unspooled: -1, exact: false });
});

test('a beginning that aged away is expired, also where a later run is the first that is left', async () => {
  const kernelEpoch = RUN - 86_400e6;
  const cases = [
    { first: 1, seq: 2, verdict: 'expired' },
    { first: 5, seq: 1, verdict: 'expired' },
    { first: 1, seq: 1, verdict: 'complete' },
  ];
  for (const { first, seq, verdict } of cases) {
    const made = await make();
    await made.batch(seq, numbered(first, 6), { seq_last: 6, rows: 6 }, { kernelEpoch });
    assertRow((await made.completeness())[0], { verdict, exact: verdict === 'complete' });
    await made.batch(seq + 2, numbered(8, 9), { seq_last: 9, rows: 9 }, { kernelEpoch });
    assertRow((await made.completeness())[0], { verdict: verdict === 'complete' ? 'lost' : verdict });
  }
});

test('each CPU has an account of its own', async () => {
  const made = await make();
  const cpus = [
    account({ cpu: 0, seq_last: 2, rows: 2 }),
    account({ cpu: 3, seq_last: 5, rows: 2, failed: 3 }),
  ];
  const events = [...numbered(1, 2), { seq: 1, cpu: 3 }, { seq: 4, cpu: 3 }];
  await made.database.put({ agent_epoch: RUN, kernel_epoch: RUN, batch_seq: 1, cpus }, events);
  const rows = await made.completeness();
  assert.deepEqual(
    rows.map((row) => [row['cpu'], row['stored'], row.verdict]),
    [
      [0, 2, 'complete'],
      [3, 2, 'counted_loss'],
    ],
  );
});
