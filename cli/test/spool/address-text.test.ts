import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressText } from '../../src/spool/address-text.ts';

const CASES: readonly (readonly [string, string])[] = [
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000000000001', '::1'],
  ['00000000000000000000ffff0a000001', '::ffff:10.0.0.1'],
  ['20010db8000000000000000000000001', '2001:db8::1'],
  ['20010db8000000010000000000000001', '2001:db8:0:1::1'],
  ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
  ['fe800000000000000000000000000000', 'fe80::'],
  ['20010000000000010000000000010000', '2001::1:0:0:1:0'],
  ['20010000000000010000000000000001', '2001:0:0:1::1'],
];

for (const [hex, text] of CASES) {
  test(`${text} is written as it is read`, () => {
    assert.equal(addressText(Buffer.from(`ffff${hex}`, 'hex'), 2), text);
  });
}
