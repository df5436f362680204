import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import { cpuAccount } from '../../test/cpu-account.ts';
import { createPreviousStates } from '../src/previous-states.ts';

const CURRENT = { kernelEpoch: 9 };

/** Two states before the current one, on a disk that takes batches or does not. */
function previousStates() {
  const log: string[] = [];
  const ended: Record<number, readonly CpuAccount[]> = {};
  const disk = { failed: '', isWhole: true };
  const trace = {
    recording: CURRENT,
    previous: [{ kernelEpoch: 3 }, { kernelEpoch: 5 }],
    unopened: [{ kernelEpoch: 7 }],
    forget(epoch: number) {
      trace.previous = trace.previous.filter(({ kernelEpoch }) => kernelEpoch !== epoch);
      log.push(`forget ${epoch}`);
    },
  };
  const states = createPreviousStates({
    trace,
    begin({ kernelEpoch }) {
      log.push(`begin ${kernelEpoch}`);
      return { turn: () => disk.isWhole, fill: () => 0, unread: () => 0 };
    },
    cpus: () => [cpuAccount(4)],
    batcher: { flush: () => void log.push('flush'), cut: () => void log.push('cut') },
    spool: {
      get failed() {
        return disk.failed;
      },
      noteEnded(epoch, cpus) {
        ended[epoch] = cpus;
        return true;
      },
    },
    onLeft: (left) => void log.push(`left ${left}`),
  });
  return { states, disk, log, ended };
}

test('each is told and forgotten, and batches are of the current one again', async () => {
  const { states, log, ended } = previousStates();
  await states.tell();
  const each = (epoch: number) => [`begin ${epoch}`, 'cut', `forget ${epoch}`];
  assert.deepEqual(log, ['flush', ...each(3), ...each(5), 'begin 9', 'left 7']);
  assert.deepEqual(Object.keys(ended), ['3', '5']);
  assert.deepEqual(states.left, [7]);
});

test('what a disk refuses is left, and told when the disk takes it', async () => {
  const { states, disk, log, ended } = previousStates();
  disk.failed = 'ENOSPC';
  await states.tell();
  assert.deepEqual([log.at(-1), states.left, ended], ['left 3,5,7', [3, 5, 7], {}]);
  await states.turn(1);
  assert.equal(log.filter((line) => line === 'begin 3').length, 1);
  disk.failed = '';
  await states.turn(2);
  assert.deepEqual(states.left, [7]);
  log.length = 0;
  await states.turn(1_000_000);
  assert.deepEqual(log, []);
});

test('one that does not settle is left with its account, and tried again after a while', async () => {
  const { states, disk, log, ended } = previousStates();
  disk.isWhole = false;
  await states.turn(1);
  assert.deepEqual(
    [states.left, Object.keys(ended)],
    [
      [3, 5, 7],
      ['3', '5'],
    ],
  );
  log.length = 0;
  disk.isWhole = true;
  await states.turn(2);
  assert.deepEqual(log, []);
  await states.turn(100_000);
  assert.deepEqual(states.left, [7]);
});
