import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeText } from '../src/time-text.ts';

test('microseconds become a time that ClickHouse reads, the epoch and the bounds too', () => {
  assert.equal(timeText(1_700_000_000_000_007), '2023-11-14 22:13:20.000007');
  assert.equal(timeText(0), '1970-01-01 00:00:00.000000');
  assert.equal(timeText(-1), '1970-01-01 00:00:00.000000');
  assert.equal(timeText(Number.MAX_SAFE_INTEGER), '2255-06-05 23:47:34.740991');
});
