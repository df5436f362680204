import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuAccount } from '../../test/cpu-account.ts';
import { createTelling } from '../src/telling.ts';
import type { Recording } from '../src/trace/recording.ts';

const SPOOLED = [cpuAccount(6)];

/**
 * Recordings with one CPU, 10 numbers and empty rings, and a spool that knows each of them, unless it `isGone`, or
 * holds no more than a batch of the next run, which `isCut` off before it had read all.
 */
function tellingOf({ isGone = false, isCut = false } = {}) {
  const asked = { tails: [] as number[], skipped: 0, lost: [] as number[] };
  const telling = createTelling({
    spool: {
      ready: true,
      dropped: {},
      tail(kernelEpoch) {
        asked.tails.push(kernelEpoch);
        if (isGone) return isCut ? { cpus: [], ring_positions: [] } : undefined;
        return { cpus: SPOOLED, ring_positions: [] };
      },
    },
    notices: { accountLost: (kernelEpoch) => void asked.lost.push(kernelEpoch) },
    onBadRecords: () => {},
    onUnsettled: () => {},
  });
  const ring = {
    ...{ size: 8, position: 8, released: isGone ? 8 : 0, badRecords: 0 },
    ...{ producerPosition: () => 8, fill: () => 0, unread: () => 0, drain: () => 0 },
    ...{ skipTo: () => {}, release: () => {} },
  };
  const recordingOf = (kernelEpoch: number, isResumed: boolean): Recording => ({
    kernelEpoch,
    isResumed,
    rings: { lifecycle: ring, chatter: ring },
    names: { executable: () => undefined, cgroupPath: () => undefined },
    sample: () => ({
      accounts: [{ cpu: 0, seq: 10, failed: 0, folded: 0, filtered: 0 }],
      upTo: { lifecycle: 8, chatter: 8 },
    }),
    failedReserves: () => [],
    skippedRuns() {
      asked.skipped += 1;
      return [{ program: 'state', skipped_runs: asked.skipped, absent_runs: 0 }];
    },
    untracked: () => 0,
    close: () => {},
  });
  const to = {
    builder: { append: () => {}, isFull: () => false },
    batcher: { flush: () => {}, cut: () => {} },
  };
  return { telling, asked, begin: (of: Recording) => telling.begin(of, to), recordingOf };
}

test('a recording of an earlier run goes on where the spool left it; of a new one the spool is not asked', () => {
  const { telling, asked, begin, recordingOf } = tellingOf();
  begin(recordingOf(5, true));
  assert.deepEqual(telling.accounting().cpus, SPOOLED);
  begin(recordingOf(9, false));
  assert.deepEqual([telling.accounting().cpus, asked.tails], [[], [5]]);
});

test('a recording that is begun again goes on where this run left it', () => {
  const { telling, asked, begin, recordingOf } = tellingOf();
  const [earlier, current] = [recordingOf(5, true), recordingOf(9, false)];
  begin(earlier);
  telling.row(0, 7);
  begin(current);
  telling.row(0, 1);
  begin(earlier);
  assert.deepEqual(telling.accounting().cpus, [cpuAccount(6, { rows_ahead: 1 })]);
  begin(current);
  assert.equal(telling.accounting().cpus[0]?.rows_ahead, 1);
  assert.deepEqual(asked.tails, [5]);
});

test('where the spool is gone that is said once, and what no ring holds any more counts as rows', () => {
  for (const isCut of [false, true]) {
    const { telling, asked, begin, recordingOf } = tellingOf({ isGone: true, isCut });
    const recording = recordingOf(5, true);
    begin(recording);
    telling.row(0, 9);
    assert.deepEqual(telling.accounting().cpus, []);
    begin(recording).turn();
    assert.deepEqual([telling.accounting().cpus, asked.lost], [[cpuAccount(10)], [5]]);
  }
});

test('what the kernel skipped is asked at the beginning and when it is to be, not at each batch', () => {
  const { telling, asked, begin, recordingOf } = tellingOf();
  begin(recordingOf(9, false));
  for (let batch = 0; batch < 3; batch += 1) assert.equal(telling.accounting().programs[0]?.skipped_runs, 1);
  telling.countSkipped();
  assert.equal(telling.accounting().programs[0]?.skipped_runs, 2);
  assert.equal(asked.skipped, 2);
});
