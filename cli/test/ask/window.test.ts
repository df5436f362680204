import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inBins, timeUs, windowOf } from '../../src/ask/window.ts';

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
    sinceUs: Date.parse('2026-11-28T11:00:00Z') * US,
    untilUs: NOW_MS * US,
  });
  assert.throws(
    () => windowOf({ since: '1h', until: '1h' }, NOW_MS),
    /is empty; give --since before --until/,
  );
});

const HOURS = { view: 'connections_1h', length: 'an hour', seconds: 3_600, isEndCut: false };
const us = (time: string): number => Date.parse(`2026-11-28T${time}Z`) * US;
const windowAt = (since: string, until: string): { readonly sinceUs: number; readonly untilUs: number } => ({
  sinceUs: us(since),
  untilUs: us(until),
});

test('an answer in bins is of whole ones, but of nothing that is yet to come', () => {
  const later = Date.parse('2026-11-29T00:00:00Z');
  assert.deepEqual(inBins(windowAt('10:40', '11:10'), HOURS, later), windowAt('10:00', '12:00'));
  assert.deepEqual(inBins(windowAt('10:00', '11:00'), HOURS, later), windowAt('10:00', '11:00'));
  assert.deepEqual(inBins(windowAt('10:40', '11:10'), HOURS, us('11:10') / US), windowAt('10:00', '11:10'));
});

test('where the last bin is left out, the answer ends with the last whole one, and has to be of one', () => {
  const cut = { ...HOURS, isEndCut: true };
  assert.deepEqual(inBins(windowAt('09:40', '11:10'), cut, NOW_MS), windowAt('09:00', '11:00'));
  assert.throws(
    () => inBins(windowAt('11:05', '11:10'), cut, NOW_MS),
    /the window from .* reaches the end of no bin of an hour; give an earlier --since/,
  );
});
