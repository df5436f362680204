import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import { createRandom } from '../../../test/random.ts';
import { networkOf, networksOf } from '../../src/reduce/network.ts';
import { addressBytes } from '../support/closes.ts';

const wordsOf = (text: string): Uint32Array => new Uint32Array(Uint8Array.from(addressBytes(text)).buffer);
const holdIn = (networks: readonly string[], address: string): boolean =>
  networksOf(networks.map(networkOf).filter((network) => network !== undefined)).hold(wordsOf(address), 0);
const holds = (network: string, address: string): boolean => holdIn([network], address);

test('what is no network is none', () => {
  for (const text of [
    '',
    'host',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.0/a',
    '::/129',
    'fe80::1%eth0',
    '1.2.3.4.5',
  ])
    assert.equal(networkOf(text), undefined, text);
});

test('one address, all addresses, and IPv4 in its mapped form', () => {
  assert.equal(holds('10.0.0.1', '10.0.0.1'), true);
  assert.equal(holds('10.0.0.1', '10.0.0.2'), false);
  assert.equal(holds('0.0.0.0/0', '255.1.2.3'), true);
  assert.equal(holds('0.0.0.0/0', '2001:db8:0:0:0:0:0:1'), false);
  assert.equal(holds('::/0', '10.0.0.1'), true);
  assert.equal(holds('::ffff:10.0.0.0/104', '10.200.0.1'), true);
  assert.equal(holds('::1', '::1'), true);
  assert.equal(holds('2001:db8::1', '2001:db8:0:0:0:0:0:1'), true);
  assert.equal(holds('2001:db8::/32', '2001:db8:1:2:3:4:5:6'), true);
});

test('lists of random networks hold the addresses that node:net says they do', () => {
  const random = createRandom(11);
  const v4 = (): string => Array.from({ length: 4 }, () => random.pick([0, 10, 127, 128, 255])).join('.');
  const v6 = (): string =>
    Array.from({ length: 8 }, () => random.pick(['0', '1', '8000', 'ffff', 'fffe'])).join(':');
  let held = 0;
  for (let round = 0; round < 10_000; round++) {
    const list = new BlockList();
    const networks: string[] = [];
    let of = v4();
    let family: 'ipv4' | 'ipv6' = 'ipv4';
    for (let count = random.below(6); count >= 0; count--) {
      family = random.pick(['ipv4', 'ipv6'] as const);
      const address = family === 'ipv4' ? v4 : v6;
      const [network, bits] = [address(), random.below(family === 'ipv4' ? 33 : 129)];
      list.addSubnet(network, bits, family);
      networks.push(`${network}/${bits}`);
      of = random.below(2) === 0 ? address() : network;
    }
    // To node:net a mapped address is IPv4 alone; here ::/0 holds it too.
    const isMappedIn = networks.some(
      (network) => /^[0:]+\/|\/\d$|\/[1-8]\d$/.test(network) && network.includes(':'),
    );
    if (family === 'ipv4' && isMappedIn) continue;
    const expected = list.check(of, family);
    assert.equal(holdIn(networks, of), expected, `${networks} ${of}`);
    held += expected ? 1 : 0;
  }
  assert.ok(held > 1_000);
});
