import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cycleOf } from './support/cycle.ts';

test('a full batch is closed in the middle of a drain', () => {
  const { cycle, log, state } = cycleOf();
  state.rowsMax = 2;
  state.ring = 5;
  cycle.turn();
  assert.deepEqual(log, ['clock', 'begin', 'flush 2', 'flush 2', 'complete', 'heartbeat 1']);
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

test('bad records are told once, before the account that counts them is complete', () => {
  const { cycle, log, state } = cycleOf({ bad: 2 });
  state.ring = 3;
  cycle.turn();
  cycle.turn();
  assert.deepEqual(log, ['clock', 'begin', 'bad 2', 'complete', 'heartbeat 1', 'begin', 'complete']);
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
