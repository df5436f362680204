import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeUs, windowOf } from '../../src/ask/window.ts';

const NOW_MS = Date.parse('2026-11-28T12:00:00Z');
const US = 1_000;

test('a time is an age or ISO 8601, UTC unless it names a zone', () => {
  const times: readonly (readonly [string, string])[] = [
    ['90m', '2026-11-28T10:30:00Z'],
    ['3d', '2026-11-25T12:00:00Z'],
    ['2026-11-28', '2026-11-28T00:00:00Z'],
    ['2026-11-28T10:15', '2026-11-28T10:15:00Z'],
    ['2026-11-28 10:15:30', '2026-11-28T10:15:30Z'],
    ['2026-11-28T10:15:30.25+02:00', '2026-11-28T08:15:30.250Z'],
  ];
  for (const [text, iso] of times) assert.equal(timeUs(text, NOW_MS), Date.parse(iso) * US, text);
  assert.equal(timeUs('2026-11-28T10:15:30.000001Z', NOW_MS) % 1_000_000, 1);
});

test('what is no time is refused', () => {
  for (const text of ['soon', '5w', '0h', '2026-13-01', '2026-11-28T25:00', '28.11.2026', '12:00'])
    assert.throws(() => timeUs(text, NOW_MS), /is no time such as 90m, 12h, 3d or 2026-11-28T10:00/, text);
});

test('a window ends now unless it is told when, and is never empty', () => {
  assert.deepEqual(windowOf({ since: '1h', until: undefined }, NOW_MS), {
    since: '2026-11-28 11:00:00.000000',
    until: '2026-11-28 12:00:00.000000',
  });
  assert.throws(
    () => windowOf({ since: '1h', until: '1h' }, NOW_MS),
    /is empty; give --since before --until/,
  );
});
