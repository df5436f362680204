import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import { createEndedEpochs } from '../src/ended-epochs.ts';

const account = (rows: number, ahead = 0): CpuAccount => ({
  cpu: 0,
  seq_last: rows,
  rows,
  rows_ahead: ahead,
  failed: 0,
  folded: 0,
  filtered: 0,
  folded_ahead: 0,
  filtered_ahead: 0,
  spool_dropped: 0,
});

function endedOf(spooled: Record<number, CpuAccount[]>) {
  const shipped: { kernel_epoch: number; cpus: readonly CpuAccount[] }[] = [];
  const lost: number[] = [];
  const spool = {
    dropped: {} as Record<string, Record<string, number>>,
    ended: {} as Record<string, readonly CpuAccount[]>,
    failed: '',
    lastAccounts: (epoch: number) => spooled[epoch],
    noteEnded(epoch: number, cpus: readonly CpuAccount[]) {
      spool.ended[epoch] = cpus;
      return true;
    },
  };
  const ended = createEndedEpochs({
    spool,
    batcher: { closing: (closing) => shipped.push(closing) },
    notices: { accountLost: (epoch) => lost.push(epoch) },
  });
  return { ended, spool, shipped, lost };
}

const stale = { kernelEpoch: 5, cpus: [{ cpu: 0, seq: 12, failed: 2, folded: 0, filtered: 0 }] };

test('a dead epoch is closed with the rows that reached the spool', () => {
  const { ended, shipped, spool } = endedOf({ 5: [account(6, 1)] });
  assert.equal(ended.close(stale), true);
  assert.deepEqual(shipped, [{ kernel_epoch: 5, cpus: [{ ...account(7), seq_last: 12, failed: 2 }] }]);
  assert.deepEqual(spool.ended[5], shipped[0]?.cpus);
});

test('an epoch whose agent died before its first batch is closed with no rows', () => {
  const { ended, shipped, lost } = endedOf({});
  assert.equal(ended.close(stale), true);
  assert.deepEqual([shipped[0]?.cpus[0]?.seq_last, shipped[0]?.cpus[0]?.rows], [12, 0]);
  assert.deepEqual(lost, [5]);
});

test('the kernel keeps the account until the disk took it', () => {
  const { ended, spool } = endedOf({ 5: [account(6)] });
  spool.failed = 'ENOSPC';
  assert.equal(ended.close(stale), false);
});

test('rows of an ended epoch that are dropped later are told in a new account, once', () => {
  const { ended, spool, shipped } = endedOf({ 5: [account(6)] });
  ended.close(stale);
  ended.tell(9);
  assert.equal(shipped.length, 1);
  spool.dropped = { 5: { 0: 4 }, 9: { 0: 1 } };
  ended.tell(9);
  assert.deepEqual(
    shipped.slice(1).map(({ kernel_epoch, cpus }) => [kernel_epoch, cpus[0]?.spool_dropped]),
    [[5, 4]],
  );
  ended.tell(9);
  spool.dropped = { ...spool.dropped, 9: { 0: 2 } };
  ended.tell(9);
  assert.equal(shipped.length, 2);
});
