import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayNumber } from '@tcptrail/schemas/filing.ts';
import { misfitOf } from '../../src/store/days.ts';

const NOW_MS = 1_790_000_000_000;
const DAY_MS = 86_400_000;

const batch = (batchMs: number, filedMs = batchMs) => ({
  offset: 0,
  envelope: {
    host_id: 'h',
    boot_id: 'b',
    agent_epoch: 1,
    batch_seq: 7,
    batch_part: 1,
    batch_ts: batchMs * 1000,
    maybe_duplicate: false,
  },
  events: new Map<number, number>(),
  filedTs: filedMs * 1000,
  batchDay: dayNumber(filedMs * 1000),
});
const told = (batchMs: number, filedMs?: number) => misfitOf(batch(batchMs, filedMs), NOW_MS) ?? '';

test('a batch of which the tables keep the day is nothing to tell', () => {
  for (const days of [-5, -1, 0, 1, 2]) assert.equal(told(NOW_MS + days * DAY_MS), '');
});

test('a batch that is filed by the broker, or under a day that the tables drop or keep too long, is told', () => {
  assert.match(told(0, NOW_MS), /^batch 7 of host h says 1970-01-01 .* came to the broker at 2026-/);
  assert.match(told(NOW_MS - 8 * DAY_MS), /drop its rows at once or soon/);
  assert.match(told(NOW_MS + 3 * DAY_MS), /is to come/);
});
