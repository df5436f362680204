import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPacing } from '../../src/trace/pacing.ts';

const config = { pollMs: 100, pollMsMin: 10, idleMs: 500, idleAfterMs: 2_000 };

test('the wait shrinks while the ring was more than half full, down to a limit, and grows back', () => {
  const pacing = createPacing(config);
  const waits = [0.6, 0.6, 0.6, 0.6, 0.6, 0.4, 0.1, 0.1, 0.1, 0.1].map((fill, i) =>
    pacing.next({ fill, nowMs: i }),
  );
  assert.deepEqual(waits, [50, 25, 12.5, 10, 10, 10, 20, 40, 80, 100]);
});

test('rings empty for two seconds are asked less often, until the first event', () => {
  const pacing = createPacing(config);
  assert.equal(pacing.next({ fill: 0, nowMs: 1_000 }), 100);
  assert.equal(pacing.next({ fill: 0, nowMs: 2_999 }), 100);
  assert.equal(pacing.next({ fill: 0, nowMs: 3_000 }), 500);
  assert.equal(pacing.next({ fill: 0.01, nowMs: 3_500 }), 100);
  assert.equal(pacing.next({ fill: 0, nowMs: 3_600 }), 100);
});
