import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import { cpuAccount } from '../../../test/cpu-account.ts';
import { startServer, type TestServer } from '../../../test/harness/server.ts';
import { HOST, type MadeEvent, NOW_US } from '../../../test/spool-writer.ts';
import { insertParked } from '../../src/store/parked.ts';
import { createDatabase, type TestDatabase } from '../database.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const RUN = NOW_US;

/** Events of CPU 0 with the numbers from `first` to `last`. */
function numbered(first: number, last: number): MadeEvent[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({ seq: first + index }));
}

const account = (change: Partial<CpuAccount>): CpuAccount => cpuAccount(0, change);

interface Made {
  readonly database: TestDatabase;
  batch(seq: number, events: readonly MadeEvent[], cpu0: Partial<CpuAccount>, more?: Batch): Promise<void>;
  completeness(): Promise<Row[]>;
  park(batchSeq: number, agentEpoch?: number): Promise<void>;
}

interface Batch {
  readonly run?: number;
  readonly kernelEpoch?: number;
  readonly origin?: string;
}

interface Row {
  readonly verdict: string;
  readonly exact: boolean;
  readonly holes: readonly string[];
  readonly [column: string]: unknown;
}

async function make(): Promise<Made> {
  const database = await createDatabase(server.url);
  after(() => database.clickhouse.close());
  return {
    database,
    async batch(seq, events, cpu0, more = {}) {
      const { run = RUN, kernelEpoch = RUN, origin = 'spool:made' } = more;
      const envelope = { agent_epoch: run, kernel_epoch: kernelEpoch, batch_seq: seq, cpus: [account(cpu0)] };
      await database.put(envelope, events, origin);
    },
    completeness: () => database.rows<Row>('SELECT * FROM {db}.completeness ORDER BY kernel_epoch, cpu'),
    async park(batchSeq, agentEpoch = RUN) {
      await insertParked(database.clickhouse, [
        {
          origin: 'spool:made',
          originPartition: 0,
          originOffset: batchSeq,
          identity: { hostId: HOST, agentEpoch, batchSeq },
          reason: 'SEGMENT_CORRUPT',
          detail: '',
        },
      ]);
    },
  };
}

function assertRow(row: Row | undefined, expected: Partial<Row>): void {
  assert.ok(row);
  const shown = Object.fromEntries(Object.keys(expected).map((key) => [key, row[key]]));
  assert.deepEqual(shown, expected, JSON.stringify(row));
}

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

test('the closing account of a killed agent says how many events its rings still held', async () => {
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
