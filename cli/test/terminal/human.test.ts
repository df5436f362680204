import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, duration, plural } from '../../src/terminal/human.ts';

test('bytes have three digits and a binary unit, whole bytes no decimals', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1.00 KiB'],
    [1_536, '1.50 KiB'],
    [10_240, '10.0 KiB'],
    [1_048_575, '1.00 MiB'],
    [123_456_789, '118 MiB'],
    [2 ** 60, '1.00 EiB'],
  ];
  for (const [count, text] of cases) assert.equal(bytes(count), text);
});

test('durations change their unit where the digits would run out', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 µs'],
    [999, '999 µs'],
    [1_000, '1.00 ms'],
    [12_345, '12.3 ms'],
    [999_499, '999 ms'],
    [999_500, '1.00 s'],
    [59_949_999, '59.9 s'],
    [59_950_000, '1 m 00 s'],
    [200_000_000, '3 m 20 s'],
    [3_600_000_000, '1 h 00 m'],
    [7_500_000_000, '2 h 05 m'],
    [86_400_000_000, '1 d 00 h'],
  ];
  for (const [us, text] of cases) assert.equal(duration(us), text);
});

test('one of a thing is singular', () => {
  assert.equal(plural(1, 'row'), '1 row');
  assert.equal(plural(0, 'row'), '0 rows');
  assert.equal(plural(1_234_567, 'row'), '1,234,567 rows');
});
