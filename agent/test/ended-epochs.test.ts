import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import { cpuAccount } from '../../test/cpu-account.ts';
import { createEndedEpochs } from '../src/ended-epochs.ts';

test('rows of an ended epoch that are dropped later are told in a new account, once', () => {
  const shipped: { kernel_epoch: number; cpus: readonly CpuAccount[] }[] = [];
  const spool = {
    dropped: {} as Record<string, Record<string, number>>,
    ended: { 5: [cpuAccount(6)] } as Record<string, readonly CpuAccount[]>,
    noteEnded(epoch: number, cpus: readonly CpuAccount[]) {
      spool.ended[epoch] = cpus;
      return true;
    },
  };
  const ended = createEndedEpochs({ spool, batcher: { closing: (closing) => shipped.push(closing) } });
  ended.tell(9);
  assert.equal(shipped.length, 0);
  spool.dropped = { 5: { 0: 4 }, 9: { 0: 1 } };
  ended.tell(9);
  assert.deepEqual(
    shipped.map(({ kernel_epoch, cpus }) => [kernel_epoch, cpus[0]?.spool_dropped]),
    [[5, 4]],
  );
  ended.tell(9);
  spool.dropped = { ...spool.dropped, 9: { 0: 2 } };
  ended.tell(9);
  assert.equal(shipped.length, 1);
});
