import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Health } from '@tcptrail/schemas/batch.ts';
import { createCycle } from '../src/cycle.ts';
import { createDrain, type DrainedRing } from '../src/drain.ts';

const HEALTH = {} as Health;

/** A ring of 8-byte records, `written()` of them so far, the last `busy()` of them not yet whole, the first `bad` bad. */
function ringOf(written: () => number, busy: () => number, bad = 0): DrainedRing & { release(): void } {
  let position = 0;
  let released = 0;
  return {
    size: 1_000,
    get badRecords() {
      return Math.min(bad, position / 8);
    },
    get position() {
      return position;
    },
    get released() {
      return released;
    },
    producerPosition: () => written() * 8,
    fill: () => (written() * 8 - released) / 1_000,
    unread: () => (written() * 8 - position) / 1_000,
    drain(upTo, onRecord) {
      for (const end = Math.min(upTo, (written() - busy()) * 8); position < end; position += 8)
        if (position >= bad * 8) onRecord(new Uint32Array(0), new Uint8Array(0), 0);
      return 0;
    },
    release() {
      released = position;
    },
  };
}

/** A kernel that numbers events on one CPU, and everything behind it, as lists. */
function cycleOf({ bad = 0 } = {}) {
  const config = { heartbeatMs: 10_000 };
  const log: string[] = [];
  const state = {
    nowMs: 1,
    ring: 0,
    valid: true,
    ready: true,
    busy: 0,
    rows: 0,
    rowsMax: 100,
    flushMs: 500,
    leftOut: false,
    olderTold: false,
    beats: 0,
    ringFills: [] as number[],
  };
  const rings = {
    lifecycle: ringOf(
      () => state.ring,
      () => state.busy,
      bad,
    ),
    chatter: ringOf(
      () => 0,
      () => 0,
    ),
  };
  /** A batch is in the spool, and what it holds given back. */
  function ship(what: string): void {
    batcher.batchSeq += 1;
    log.push(`${what} ${state.rows}`);
    state.rows = 0;
    rings.lifecycle.release();
  }
  const batcher = {
    batchSeq: 0,
    flush: () => ship('flush'),
    cut: () => ship('cut'),
    heartbeat: () => ship('heartbeat'),
  };
  const builder = {
    append: () => {
      state.rows += state.leftOut ? 0 : 1;
    },
    get flushMs() {
      return state.flushMs;
    },
    get rows() {
      return state.rows;
    },
    isFull: () => state.rows >= state.rowsMax,
  };
  const spool = {
    get ready() {
      return state.ready;
    },
    tick: () => {},
  };
  const drain = createDrain({
    recording: {
      rings,
      sample: () =>
        state.valid
          ? {
              accounts: [{ cpu: 0, seq: 1, failed: 0, folded: 0, filtered: 0 }],
              upTo: { lifecycle: state.ring * 8, chatter: 0 },
            }
          : undefined,
    },
    account: { begin: () => log.push('begin'), complete: () => log.push('complete') },
    builder,
    batcher,
    spool,
    onUnsettled: () => log.push('unsettled'),
    onBadRecords: (count) => log.push(`bad ${count}`),
  });
  const cycle = createCycle(config, {
    trace: {
      get olderTold() {
        return state.olderTold;
      },
      beat: () => {
        state.beats += 1;
      },
      watch: (nowMs) => void log.push(...(nowMs > 1_000_000 ? ['watch'] : [])),
    },
    drain,
    pacing: { next: ({ fill }) => (fill > 0 ? 100 : 500) },
    builder,
    batcher,
    spool,
    clock: { measure: () => log.push('clock') },
    health({ olderTold, ringFill }) {
      if (olderTold) log.push('older told');
      state.ringFills.push(ringFill);
      return HEALTH;
    },
    nowMs: () => state.nowMs,
  });
  return { cycle, log, state };
}

test('the first turn measures the clock, settles the account and says that the agent is there', () => {
  const { cycle, log } = cycleOf();
  cycle.turn();
  assert.deepEqual(log, ['clock', 'begin', 'complete', 'heartbeat 0']);
});

test('rows wait for company until the flush time, counted from the first', () => {
  const { cycle, log, state } = cycleOf();
  cycle.turn();
  log.length = 0;
  state.ring += 3;
  state.nowMs = 100;
  cycle.turn();
  state.ring += 1;
  state.nowMs = 599;
  cycle.turn();
  assert.equal(
    log.some((line) => line.startsWith('flush')),
    false,
  );
  state.nowMs = 600;
  cycle.turn();
  assert.ok(log.includes('flush 4'));
});

test('a full batch is closed in the middle of a drain', () => {
  const { cycle, log, state } = cycleOf();
  state.rowsMax = 2;
  state.ring = 5;
  cycle.turn();
  assert.deepEqual(log, ['clock', 'begin', 'flush 2', 'flush 2', 'complete', 'heartbeat 1']);
});

test('each turn says that the agent is there, whatever the disk says', () => {
  const { cycle, state } = cycleOf();
  cycle.turn();
  state.ready = false;
  cycle.turn();
  assert.equal(state.beats, 2);
});

test('a sample with an event under way is not used, the rows are', () => {
  const { cycle, log, state } = cycleOf();
  state.valid = false;
  state.ring = 1;
  cycle.turn();
  assert.deepEqual(log, ['clock', 'unsettled', 'heartbeat 1']);
});

test('while the disk refuses, events stay in the rings and no account is completed', () => {
  const { cycle, log, state } = cycleOf();
  state.rowsMax = 1;
  state.ready = false;
  state.ring = 4;
  cycle.turn();
  assert.equal(state.rows, 0);
  assert.deepEqual(log, ['clock']);
  state.ready = true;
  state.nowMs += 10;
  cycle.turn();
  assert.deepEqual(log.filter((line) => line.startsWith('flush')).length, 4);
  assert.ok(log.includes('complete'));
});

test('an event being written holds the account back, not the rows before it', () => {
  const { cycle, log, state } = cycleOf();
  state.ring = 2;
  state.busy = 1;
  cycle.turn();
  assert.deepEqual(log, ['clock', 'begin', 'heartbeat 1']);
  state.busy = 0;
  assert.equal(cycle.turn(), 100);
  assert.ok(log.includes('complete'));
  assert.equal(cycle.turn(), 500);
});

test('a heartbeat tells how full a ring was at most since the one before', () => {
  const { cycle, state } = cycleOf();
  cycle.turn();
  for (const rows of [3, 25, 7]) {
    state.ring += rows;
    cycle.turn();
  }
  for (const nowMs of [10_001, 20_001]) {
    state.nowMs = nowMs;
    cycle.turn();
  }
  assert.deepEqual(state.ringFills, [0, 0.28, 0]);
});

test('a heartbeat comes when it is due, busy or idle', () => {
  const { cycle, log, state } = cycleOf();
  for (state.nowMs = 1; state.nowMs < 30_001; state.nowMs += 100) {
    state.ring += state.nowMs < 15_000 ? 1 : 0;
    cycle.turn();
  }
  assert.equal(log.filter((line) => line.startsWith('heartbeat')).length, 3);
});

test('other times hold from the next turn on, which gives a heartbeat', () => {
  const { cycle, log, state } = cycleOf();
  const beatsAfter = (ms: number): number => {
    log.length = 0;
    state.nowMs += ms;
    cycle.turn();
    return log.filter((line) => line.startsWith('heartbeat')).length;
  };
  beatsAfter(0);
  cycle.configure({ heartbeatMs: 50 });
  assert.deepEqual([10, 49, 1].map(beatsAfter), [1, 0, 1]);
});

test('bad records are told once, before the account that counts them is complete', () => {
  const { cycle, log, state } = cycleOf({ bad: 2 });
  state.ring = 3;
  cycle.turn();
  cycle.turn();
  assert.deepEqual(log, ['clock', 'begin', 'bad 2', 'complete', 'heartbeat 1', 'begin', 'complete']);
});

test('the end drains until the account settles, and ships it', () => {
  const { cycle, log, state } = cycleOf();
  state.ring = 2;
  assert.equal(cycle.finish(), true);
  assert.deepEqual(log, ['begin', 'complete', 'heartbeat 2']);
  state.valid = false;
  assert.equal(cycle.finish(), false);
});

test('that all older connections are told is said once they are drained, and not taken back', () => {
  const { cycle, log, state } = cycleOf();
  const beat = (change: Partial<typeof state>): boolean => {
    Object.assign(state, change, { nowMs: state.nowMs + 10_000 });
    cycle.turn();
    return log.includes('older told');
  };
  assert.equal(beat({}), false);
  assert.equal(beat({ olderTold: true, ring: 2, busy: 1 }), false);
  assert.equal(beat({ busy: 0 }), true);
  log.length = 0;
  assert.equal(beat({ olderTold: false }), true);
});

test('a batch stays open as long as its builder says', () => {
  const { cycle, log, state } = cycleOf();
  state.flushMs = 5_000;
  state.ring = 1;
  cycle.turn();
  state.ring = 2;
  const turnsUntil = (ms: number): void => {
    for (; state.nowMs < ms; state.nowMs += 100) cycle.turn();
  };
  turnsUntil(5_000);
  assert.equal(log.filter((line) => line.startsWith('flush')).length, 0);
  turnsUntil(5_300);
  assert.deepEqual(
    log.filter((line) => line.startsWith('flush')),
    ['flush 1'],
  );
});

test('a batch that a heartbeat closed leaves its time to the next one whole', () => {
  const { cycle, log, state } = cycleOf();
  state.flushMs = 9_000;
  cycle.turn();
  state.ring = 1;
  state.nowMs = 9_500;
  cycle.turn();
  for (state.nowMs = 10_100; state.nowMs < 19_000; state.nowMs += 100) {
    state.ring += 1;
    cycle.turn();
  }
  assert.deepEqual(
    log.filter((line) => /^(flush|heartbeat)/.test(line)),
    ['heartbeat 0', 'heartbeat 2'],
  );
});

test('a batch takes no more than half a ring, whether its events became rows or were left out', () => {
  for (const leftOut of [false, true]) {
    const { cycle, log, state } = cycleOf();
    Object.assign(state, { leftOut, flushMs: 60_000 });
    state.ring = 50;
    cycle.turn();
    assert.equal(log.filter((line) => line.startsWith('cut')).length, 0);
    state.ring = 100;
    cycle.turn();
    state.ring = 190;
    cycle.turn();
    const cuts = log.filter((line) => line.startsWith('cut'));
    assert.equal(cuts.length, 2);
    assert.equal(
      cuts.every((line) => (line === 'cut 0') === leftOut),
      true,
    );
  }
});
