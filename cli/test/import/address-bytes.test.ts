import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeAddress } from '../../src/import/address-bytes.ts';
import { addressText } from '../../src/spool/address-text.ts';

const ADDRESSES = [
  ['192.0.2.1', '::ffff:192.0.2.1'],
  ['0.0.0.0', '::ffff:0.0.0.0'],
  ['::', '::'],
  ['::1', '::1'],
  ['fe80::', 'fe80::'],
  ['2001:DB8::8:800:200c:417A', '2001:db8::8:800:200c:417a'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['::ffff:203.0.113.9', '::ffff:203.0.113.9'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
] as const;

test('an address is the bytes that read back as it', () => {
  for (const [text, back] of ADDRESSES) {
    const out = new Uint8Array(20).fill(0xee);
    assert.ok(writeAddress(text, out, 2), text);
    assert.equal(addressText(out, 2), back);
    assert.deepEqual([...out.subarray(0, 2), ...out.subarray(18)], [0xee, 0xee, 0xee, 0xee]);
  }
});

test('what is no address writes nothing', () => {
  for (const text of ['', '-', '10.0.0', '10.0.0.256', 'fe80::1%eth0', 'g::', 'host']) {
    const out = new Uint8Array(16).fill(7);
    assert.equal(writeAddress(text, out, 0), false, text);
    assert.ok(out.every((byte) => byte === 7));
  }
});
