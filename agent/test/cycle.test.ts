import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cycleOf } from './support/cycle.ts';

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

test('each turn says that the agent is there, whatever the disk says', () => {
  const { cycle, state } = cycleOf();
  cycle.turn();
  state.ready = false;
  cycle.turn();
  assert.equal(state.beats, 2);
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

test('what is older and was left out by the budget is not said to be told, even when it is left out no longer', () => {
  const { cycle, log, state } = cycleOf();
  for (const change of [{ leavesOutOlder: true }, { leavesOutOlder: false, olderTold: true }, {}]) {
    Object.assign(state, change, { nowMs: state.nowMs + 10_000 });
    cycle.turn();
  }
  assert.equal(log.includes('older told'), false);
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
