import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPace } from '../../src/batch/pace.ts';

const LIMITS = { insertMsMin: 1_000, fullBytes: 100 };
const SMALL = { bytes: 10 };

/** Partitions that always have data, each read as soon as it may be: when each insert began. */
function insertsOf(partitions: number, untilMs: number): number[] {
  const pace = createPace(LIMITS);
  const dueMs = Array.from({ length: partitions }, () => 0);
  const inserts: number[] = [];
  for (let nowMs = 0; nowMs < untilMs; nowMs++) {
    for (const [partition, due] of dueMs.entries()) {
      if (due > nowMs) continue;
      inserts.push(nowMs);
      dueMs[partition] = nowMs + pace.restMs(SMALL, nowMs);
    }
  }
  return inserts;
}

test('one partition is stored once in the time between two inserts', () => {
  assert.deepEqual(insertsOf(1, 3_500), [0, 1_000, 2_000, 3_000]);
});

test('the more partitions have data, the longer each waits: together they insert as seldom as one', () => {
  for (const partitions of [2, 3, 12]) {
    const later = insertsOf(partitions, 60_000).slice(partitions);
    for (const [index, atMs] of later.entries()) {
      assert.ok(
        index === 0 || atMs - (later[index - 1] ?? 0) >= LIMITS.insertMsMin,
        `${partitions}: ${atMs}`,
      );
    }
    assert.ok(later.length >= 60 - partitions - 1, `${partitions} partitions: ${later.length} inserts`);
  }
});

test('what comes after a quiet time is stored at once', () => {
  const pace = createPace(LIMITS);
  pace.restMs(SMALL, 0);
  assert.equal(pace.restMs(SMALL, 50_000), 1_000);
});

test('a full range does not wait, and lets no other wait', () => {
  const pace = createPace(LIMITS);
  for (let nowMs = 0; nowMs < 10; nowMs++) assert.equal(pace.restMs({ bytes: 100 }, nowMs), 0);
  assert.equal(pace.restMs(SMALL, 10), 1_000);
});
