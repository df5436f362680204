import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMembership } from '../../src/consume/lease.ts';

function createClock() {
  let now = 0;
  return { now: () => now, pass: (ms: number) => (now += ms) };
}

const LOST = { code: 'CONSUMER_PARTITION_LOST' };

test('a lease holds for so long after the last answered heartbeat, whether or not a timer came to run', () => {
  const clock = createClock();
  const membership = createMembership({ heldMs: 100 }, clock.now);
  membership.joined();
  const lease = membership.lease();
  clock.pass(99);
  lease.assertHeld();
  membership.heard();
  clock.pass(99);
  lease.assertHeld();
  clock.pass(1);
  assert.throws(() => lease.assertHeld(), LOST);
  membership.heard();
  lease.assertHeld();
});

test('a lease ends for good when the group is joined anew, even in time; a new one holds', () => {
  const membership = createMembership({ heldMs: 100 }, createClock().now);
  membership.joined();
  const old = membership.lease();
  membership.joined();
  assert.equal(old.signal.aborted, true);
  assert.throws(() => old.assertHeld(), LOST);
  membership.heard();
  assert.throws(() => old.assertHeld(), LOST);
  membership.lease().assertHeld();
});

test('a lease ends when the coordinator does not know the member any more', () => {
  const membership = createMembership({ heldMs: 100 }, createClock().now);
  membership.joined();
  const lease = membership.lease();
  membership.lost();
  assert.throws(() => lease.assertHeld(), LOST);
});

test('nothing is held before the group was joined', () => {
  const membership = createMembership({ heldMs: 100 }, createClock().now);
  assert.throws(() => membership.lease().assertHeld(), LOST);
});

test('the first range of a partition after each join is known as such', () => {
  const membership = createMembership({ heldMs: 100 }, createClock().now);
  membership.joined();
  assert.deepEqual(
    [0, 0, 1, 0].map((partition) => membership.isFirst(partition)),
    [true, false, true, false],
  );
  membership.joined();
  assert.equal(membership.isFirst(0), true);
});
