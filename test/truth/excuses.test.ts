import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExcuses, type Short } from './excuses.ts';
import type { Lack } from './sums.ts';

const lacks = (of: Lack['of'], count: number, more: Partial<Short & Lack> = {}): Short => ({
  line: `${of} ${count}`,
  namespace: more.namespace ?? 7,
  lack: { of, count, each: more.each ?? 1 },
});
const excuse = (skipped: Record<string, number>, ...short: Short[]) =>
  createExcuses(new Map(Object.entries(skipped))).unexcused(short);

test('what lacks is excused up to the number of runs that were skipped', () => {
  assert.deepEqual(excuse({ retransmit_err: 2 }, lacks('sent', 2), lacks('part', 2)), []);
  assert.deepEqual(excuse({ retransmit_err: 2 }, lacks('sent', 3), lacks('part', 3)), ['sent 3', 'part 3']);
  assert.deepEqual(excuse({}, lacks('sent', 1)), ['sent 1']);
});

test('a run that was skipped excuses one scenario, not the next', () => {
  const excuses = createExcuses(new Map([['send_reset_reason', 1]]));
  assert.deepEqual(excuses.unexcused([lacks('reset', 1)]), []);
  assert.deepEqual(excuses.unexcused([lacks('reset', 1)]), ['reset 1']);
});

test('a program excuses only what it tells', () => {
  assert.deepEqual(excuse({ retransmit_err: 9 }, lacks('reset', 1)), ['reset 1']);
  assert.deepEqual(excuse({ receive_reset: 9, state: 9 }, lacks('reset', 1)), ['reset 1']);
  assert.deepEqual(excuse({ send_reset: 9, retransmit_synack: 9 }, lacks('sent', 1)), ['sent 1']);
  assert.deepEqual(excuse({ retransmit_synack: 1 }, lacks('sent', 1), lacks('syn', 1)), []);
});

test('a cause that lacks more than its namespace does is not excused', () => {
  assert.deepEqual(excuse({ retransmit_err: 9 }, lacks('sent', 1), lacks('part', 2)), ['part 2']);
  assert.deepEqual(excuse({ retransmit_err: 9 }, lacks('part', 1)), ['part 1']);
  assert.deepEqual(excuse({ retransmit_err: 9 }, lacks('sent', 1), lacks('part', 1, { namespace: 8 })), [
    'part 1',
  ]);
});

test('one run may have told as many segments as the greatest row of the namespace', () => {
  assert.deepEqual(excuse({ retransmit: 1 }, lacks('sent', 12, { each: 12 })), []);
  assert.deepEqual(excuse({ retransmit: 1 }, lacks('sent', 13, { each: 12 })), ['sent 13']);
});

test('those that failed unseen take runs too', () => {
  const both = [lacks('sent', 1), lacks('failed', 1)];
  assert.deepEqual(excuse({ retransmit_err: 2 }, ...both), []);
  assert.deepEqual(excuse({ retransmit_err: 1 }, ...both), ['sent 1', 'failed 1']);
});
