import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressDigits } from './address.ts';

test('addresses become their 16 bytes, IPv4 mapped', () => {
  const mapped = '00000000000000000000ffff0a090001';
  assert.equal(addressDigits('10.9.0.1'), mapped);
  assert.equal(addressDigits('::ffff:10.9.0.1'), mapped);
  assert.equal(addressDigits('::'), '0'.repeat(32));
  assert.equal(addressDigits('::1'), `${'0'.repeat(31)}1`);
  assert.equal(addressDigits('fd09::2'), `fd09${'0'.repeat(27)}2`);
  assert.equal(addressDigits('2001:db8:1:2:3:4:5:6'), '20010db8000100020003000400050006');
});
