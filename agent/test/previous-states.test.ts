import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CpuAccount } from '@tcptrail/schemas/batch.ts';
import { cpuAccount } from '../../test/cpu-account.ts';
import { createPreviousStates } from '../src/previous-states.ts';
import { EPOCH, manyBatches, spoolIn } from './support/spool.ts';
import { tempFolder } from './support/temp-folder.ts';

const CURRENT = { kernelEpoch: 9 };

/** Two states before the current one, on a disk that takes batches or does not. */
function previousStates() {
  const log: string[] = [];
  const ended: Record<number, readonly CpuAccount[]> = {};
  const disk = { failed: '', fails: '', isWhole: true };
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
        disk.failed = disk.fails;
        if (disk.failed !== '') return false;
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
  const begun = ['begin 3', 'begin 5', 'begin 9'];
  assert.deepEqual(log, ['flush', ...begun, ...each(3), ...each(5), 'begin 9', 'left 7']);
  assert.deepEqual(Object.keys(ended), ['3', '5']);
  assert.deepEqual(states.left, [7]);
});

test('where the current one was left is read before what is told pushes it from a full spool', async (t) => {
  const path = tempFolder(t);
  const config = { segmentBytes: 65_536, bytesMax: 262_144 };
  const before = spoolIn(path, config).spool;
  before.start();
  before.open(EPOCH);
  const [left] = manyBatches(CURRENT.kernelEpoch);
  before.append(left ?? new Uint8Array(), 0);
  before.stop();

  const { spool, dropped } = spoolIn(path, config);
  spool.start();
  spool.open(EPOCH + 1);
  const tails = new Map<number, unknown>();
  const states = createPreviousStates({
    trace: { recording: CURRENT, previous: [{ kernelEpoch: 3 }], unopened: [], forget: () => {} },
    begin({ kernelEpoch }) {
      if (!tails.has(kernelEpoch)) tails.set(kernelEpoch, spool.tail(kernelEpoch));
      return { turn: () => true, fill: () => 0, unread: () => 0 };
    },
    cpus: () => [],
    batcher: {
      flush: () => {},
      cut() {
        for (const datum of manyBatches(3)) spool.append(datum, 0);
      },
    },
    spool,
    onLeft: () => {},
  });
  await states.tell();
  assert.ok(dropped.length > 0);
  assert.equal(spool.tail(CURRENT.kernelEpoch), undefined, 'it is gone now');
  assert.ok(tails.get(CURRENT.kernelEpoch));
});

test('what a disk refuses is left, and told when the disk takes it', async () => {
  const { states, disk, log, ended } = previousStates();
  disk.failed = 'ENOSPC';
  await states.tell();
  assert.deepEqual([log.at(-1), states.left, ended], ['left 3,5,7', [3, 5, 7], {}]);
  await states.turn(1);
  assert.equal(log.filter((line) => line.startsWith('left')).length, 1);
  disk.failed = '';
  await states.turn(2);
  assert.deepEqual(states.left, [7]);
  log.length = 0;
  await states.turn(1_000_000);
  assert.deepEqual(log, []);
});

test('a disk that refuses in the midst of it is not waited for when it takes batches again', async () => {
  const { states, disk } = previousStates();
  disk.fails = 'ENOSPC';
  await states.turn(1);
  assert.deepEqual(states.left, [3, 5, 7]);
  Object.assign(disk, { failed: '', fails: '' });
  await states.turn(2);
  assert.deepEqual(states.left, [7]);
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
