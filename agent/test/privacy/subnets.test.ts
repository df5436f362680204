import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INTERNAL, inSubnets, isSubnet } from '../../src/privacy/subnets.ts';
import { bytesOf } from '../support/address-bytes.ts';

test('private, loopback and link-local addresses of both families are internal, others are not', () => {
  const isInternal = inSubnets(INTERNAL);
  const inside =
    '10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 127.0.0.1 127.8.8.8 169.254.1.1 0.0.0.0 :: ::1 fc00::1 fdff::1 fe80::1';
  const outside =
    '9.255.255.255 11.0.0.0 172.15.0.1 172.32.0.1 192.167.0.1 128.0.0.1 8.8.8.8 100.64.0.1 0.0.0.1 2001:db8::1 ::2 fbff::1 fe00::1 fec0::1 64:ff9b::a00:1';
  for (const address of inside.split(' ')) assert.equal(isInternal(bytesOf(address), 0), true, address);
  for (const address of outside.split(' ')) assert.equal(isInternal(bytesOf(address), 0), false, address);
});

test('a configured network is told by its length, at any place of the bytes', () => {
  const isIn = inSubnets(['198.51.100.128/25', '2001:db8:1::/48', '8.8.8.8/32']);
  const at = (address: string): boolean => isIn(Uint8Array.from([1, 2, 3, ...bytesOf(address)]), 3);
  assert.deepEqual(
    ['198.51.100.128', '198.51.100.127', '2001:db8:1:2::', '2001:db8:2::', '8.8.8.8', '8.8.8.9'].map(at),
    [true, false, true, false, true, false],
  );
  assert.equal(inSubnets(['0.0.0.0/0'])(bytesOf('2001:db8::1'), 0), false);
  assert.equal(inSubnets(['::/0'])(bytesOf('2001:db8::1'), 0), true);
});

test('only an address and a length are a network', () => {
  for (const text of ['10.0.0.0/8', '::/0', '1.2.3.4/32', '2001:db8::/128']) assert.ok(isSubnet(text), text);
  for (const text of [
    '',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '::/129',
    '10/8',
    '10.0.0.0/8/8',
    'a/8',
    'fe80::%eth0/64',
    '1.2.3.4/-1',
    '1.2.3.4/1.5',
  ])
    assert.ok(!isSubnet(text), text);
});
