import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import { cpuAccount } from '../../../test/cpu-account.ts';
import { createAccount, type KernelAccount } from '../../src/encode/account.ts';

const kernel = (cpu: number, seq: number, failed = 0): KernelAccount => ({
  cpu,
  seq,
  failed,
  folded: 0,
  filtered: 0,
});

test('rows drained after a sample balance it once it is complete', () => {
  const account = createAccount();
  account.begin([kernel(0, 3, 1)]);
  account.row(0, 1);
  account.row(0, 3);
  account.complete();
  const [cpu] = account.cpus({});
  assert.deepEqual([cpu?.seq_last, cpu?.rows, cpu?.failed, cpu?.rows_ahead], [3, 2, 1, 0]);
});

test('a sample that is not complete does not ship', () => {
  const account = createAccount();
  account.begin([kernel(0, 2)]);
  account.row(0, 1);
  const [cpu] = account.cpus({});
  assert.deepEqual([cpu?.seq_last, cpu?.rows, cpu?.rows_ahead], [0, 0, 1]);
});

test('rows beyond the sample are ahead until the next one takes them in', () => {
  const account = createAccount();
  account.begin([kernel(0, 2)]);
  account.row(0, 1);
  account.row(0, 2);
  account.row(0, 3);
  account.complete();
  assert.deepEqual(account.cpus({})[0], cpuAccount(2, { rows_ahead: 1 }));
  account.begin([kernel(0, 4)]);
  account.row(0, 4);
  account.row(0, 5);
  account.complete();
  const [cpu] = account.cpus({});
  assert.deepEqual([cpu?.seq_last, cpu?.rows, cpu?.rows_ahead], [4, 4, 1]);
});

test('each CPU has its own account, in order, silent ones left out', () => {
  const account = createAccount();
  account.row(3, 1);
  account.begin([kernel(3, 1), kernel(1, 0)]);
  account.complete();
  assert.deepEqual(
    account.cpus({ 3: 7 }).map(({ cpu, rows, spool_dropped }) => [cpu, rows, spool_dropped]),
    [
      [1, 0, 0],
      [3, 1, 7],
    ],
  );
});

test('where the spool is lost, numbers that are in no ring any more count as rows, once', () => {
  const account = createAccount([], { isLost: true });
  account.begin([kernel(0, 10, 2)]);
  account.row(0, 9);
  account.row(0, 10);
  account.row(0, 11);
  assert.deepEqual(account.cpus({}), [], 'not before all are read');
  account.complete();
  assert.deepEqual(account.cpus({})[0], cpuAccount(10, { rows: 8, failed: 2, rows_ahead: 1 }));
  account.begin([kernel(0, 13, 2)]);
  account.row(0, 12);
  account.complete();
  assert.equal(account.cpus({})[0]?.rows, 10);
});

test('numbers without a row count as failed once a record was bad, and not before', () => {
  const account = createAccount();
  const settle = (...sample: KernelAccount[]): void => {
    account.begin(sample);
    account.complete();
  };
  account.row(0, 1);
  settle(kernel(0, 3, 1));
  assert.deepEqual([account.cpus({})[0]?.rows, account.cpus({})[0]?.failed], [1, 1]);
  account.bad();
  assert.equal(account.cpus({})[0]?.failed, 1, 'only a settled sample tells');
  settle(kernel(0, 3, 1));
  assert.deepEqual([account.cpus({})[0]?.rows, account.cpus({})[0]?.failed], [1, 2]);
  account.begin([kernel(0, 4, 1)]);
  account.row(0, 4);
  account.row(0, 5);
  account.complete();
  const [cpu] = account.cpus({});
  assert.deepEqual([cpu?.rows, cpu?.rows_ahead, cpu?.failed], [2, 1, 2]);
});

test('a row counted on the wrong CPU makes no bad record of a good one', () => {
  const account = createAccount();
  account.bad();
  for (const seq of [1, 2, 3]) account.row(1, seq);
  account.begin([kernel(0, 3), kernel(1, 2)]);
  account.complete();
  const failed = account.cpus({}).map((cpu) => cpu.failed);
  assert.deepEqual(failed, [2, 0], '5 numbers, 3 rows');
});

const spooled = (rest: Partial<CpuAccount>): CpuAccount => cpuAccount(5, rest);

test('an account goes on from what an earlier run spooled', () => {
  const account = createAccount([spooled({ rows_ahead: 2 })]);
  assert.deepEqual(account.cpus({}), [spooled({ rows_ahead: 2 })]);
  account.begin([kernel(0, 9, 1)]);
  account.row(0, 8);
  account.row(0, 10);
  assert.deepEqual(account.cpus({}), [spooled({ rows_ahead: 4 })], 'not complete');
  account.complete();
  assert.deepEqual(account.cpus({}), [spooled({ seq_last: 9, rows: 8, failed: 1, rows_ahead: 1 })]);
});

test('what an earlier run folded and left out goes on too', () => {
  const before = { folded: 2, folded_ahead: 1, filtered: 4, filtered_ahead: 3 };
  const account = createAccount([spooled(before)]);
  assert.deepEqual(account.cpus({}), [spooled(before)]);
  account.begin([kernel(0, 18)]);
  for (const seq of [16, 17]) account.row(0, seq);
  account.fold(0, 16);
  account.filter(0, 18);
  account.complete();
  assert.deepEqual(account.cpus({}), [spooled({ seq_last: 18, rows: 6, folded: 4, filtered: 8 })]);
});

test('bad records that an earlier run counted stay failed', () => {
  const account = createAccount([spooled({ rows: 3, failed: 2 })]);
  account.begin([kernel(0, 6, 1)]);
  account.row(0, 6);
  account.complete();
  assert.deepEqual(account.cpus({}), [spooled({ seq_last: 6, rows: 4, failed: 2 })]);
});

test('what is folded was a row before, of whichever sample it belongs to', () => {
  const account = createAccount();
  account.begin([kernel(0, 2)]);
  for (const seq of [1, 2, 3]) account.row(0, seq);
  account.complete();
  account.begin([kernel(0, 4)]);
  account.fold(0, 2);
  account.fold(0, 3);
  const first = account.cpus({})[0];
  assert.deepEqual([first?.rows, first?.rows_ahead, first?.folded, first?.folded_ahead], [1, 0, 1, 1]);
  account.row(0, 4);
  account.row(0, 5);
  account.fold(0, 5);
  account.complete();
  const second = account.cpus({})[0];
  assert.deepEqual([second?.rows, second?.rows_ahead, second?.folded, second?.folded_ahead], [2, 0, 2, 1]);
});

test('what is left out is counted up to the sample and beyond it', () => {
  const account = createAccount();
  account.begin([kernel(1, 2)]);
  for (const seq of [1, 2, 3]) account.filter(1, seq);
  account.complete();
  const [cpu] = account.cpus({});
  assert.deepEqual([cpu?.cpu, cpu?.seq_last, cpu?.filtered, cpu?.filtered_ahead], [1, 2, 2, 1]);
});

test('what was folded and left out is not taken for a bad record', () => {
  const account = createAccount();
  account.begin([kernel(0, 5)]);
  for (const seq of [1, 2, 3]) account.row(0, seq);
  account.fold(0, 1);
  account.filter(0, 4);
  account.bad();
  account.complete();
  const [cpu] = account.cpus({});
  assert.deepEqual([cpu?.rows, cpu?.folded, cpu?.filtered, cpu?.failed], [2, 1, 1, 1]);
});
