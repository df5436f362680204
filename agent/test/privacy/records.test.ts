import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { createAddresses } from '../../src/privacy/addresses.ts';
import { createHashes } from '../../src/privacy/hash.ts';
import { createPrivateRecords, type Masks } from '../../src/privacy/records.ts';
import { masksOf } from '../../src/privacy.ts';
import { bytesOf } from '../support/address-bytes.ts';
import { ringOf } from '../support/ring-record.ts';

const KEY = 'a key of the tests';
const OTHER_KEY = 'another of the tests';
type Mode = 'keep' | 'hash' | 'drop';

const masks = (change: { uid?: Mode; peers?: Mode; key?: string; internal?: string[] }): Masks =>
  masksOf({
    privacy: { uid: 'keep', peers: 'keep', key: KEY, keyFile: '', internal: [], ...change },
    process: { commandLine: false, redact: [] },
  });

/** What comes out of a record between these two, and how the record itself is afterwards. */
function through(masks: Masks, { local = '10.0.0.1', peer = '10.0.0.2', uid = 0, socketUid = 0 }) {
  const ring = ringOf({ uid: 1 }, { uid });
  const at = RING_EVENT_BYTES;
  ring.bytes.set(bytesOf(local), at + RING.local_address);
  ring.bytes.set(bytesOf(peer), at + RING.peer_address);
  ring.words[(at + RING.socket_uid) >>> 2] = socketUid;
  const before = ring.bytes.slice();
  let out: Uint8Array = new Uint8Array(0);
  createPrivateRecords(masks).pass(ring.words, ring.bytes, at, (_words, bytes, from) => {
    out = bytes.slice(from, from + RING_EVENT_BYTES);
  });
  assert.deepEqual(ring.bytes, before, 'the ring stays as it is');
  const word = (offset: number): number => new DataView(out.buffer).getUint32(offset, true);
  return {
    local: Buffer.from(out.subarray(RING.local_address, RING.local_address + 16)).toString('hex'),
    peer: Buffer.from(out.subarray(RING.peer_address, RING.peer_address + 16)).toString('hex'),
    uid: word(RING.uid),
    socketUid: word(RING.socket_uid),
    bytes: out,
    given: before.subarray(at),
  };
}

test('with nothing to hide a record passes as it is', () => {
  const { bytes, given } = through(masks({}), { peer: '203.0.113.9', uid: 1_000 });
  assert.deepEqual(bytes, given);
});

test('an external address becomes a hash in 100::/64, the same under one key, another under another', () => {
  const hashed = through(masks({ peers: 'hash' }), { peer: '203.0.113.9' }).peer;
  assert.match(hashed, /^0100000000000000[0-9a-f]{16}$/);
  assert.equal(through(masks({ peers: 'hash' }), { peer: '203.0.113.9' }).peer, hashed);
  const others = [
    through(masks({ peers: 'hash', key: OTHER_KEY }), { peer: '203.0.113.9' }).peer,
    through(masks({ peers: 'hash' }), { peer: '203.0.113.8' }).peer,
    through(masks({ peers: 'hash' }), { peer: '2001:db8::1' }).peer,
  ];
  assert.equal(new Set([hashed, ...others]).size, 4);
  assert.equal(through(masks({ peers: 'hash' }), { local: '203.0.113.9' }).local, hashed);
});

test('internal addresses stay, also those of configured networks', () => {
  const internal = ['203.0.113.0/24'];
  for (const mode of ['hash', 'drop'] as const)
    for (const peer of ['10.1.2.3', '127.0.0.1', 'fe80::1', '::', '203.0.113.9']) {
      const out = through(masks({ peers: mode, internal }), { peer, local: peer });
      assert.equal(out.peer, Buffer.from(bytesOf(peer)).toString('hex'));
      assert.equal(out.local, out.peer);
    }
});

test('a dropped address is 100::, whichever it was', () => {
  for (const peer of ['203.0.113.9', '2001:db8::1'])
    assert.equal(through(masks({ peers: 'drop' }), { peer }).peer, `01${'0'.repeat(30)}`);
});

test('users become numbers from 2^31 on, or that of nobody; root stays', () => {
  const hashed = through(masks({ uid: 'hash' }), { uid: 1_000, socketUid: 1_000 });
  assert.ok(hashed.uid >= 2 ** 31);
  assert.equal(hashed.socketUid, hashed.uid);
  const { uid, socketUid } = through(masks({ uid: 'hash', key: OTHER_KEY }), {
    uid: 1_000,
    socketUid: 1_001,
  });
  assert.equal(new Set([uid, socketUid, hashed.uid]).size, 3);
  const dropped = through(masks({ uid: 'drop' }), { uid: 1_000, socketUid: 33 });
  assert.deepEqual([dropped.uid, dropped.socketUid], [0xffff_ffff, 0xffff_ffff]);
  for (const mode of ['hash', 'drop'] as const) {
    const root = through(masks({ uid: mode }), { uid: 0, socketUid: 0xffff_ffff });
    assert.deepEqual([root.uid, root.socketUid], [0, 0xffff_ffff]);
  }
});

test('nothing but what is hidden is changed', () => {
  const { bytes, given } = through(masks({ uid: 'hash', peers: 'hash' }), {
    peer: '203.0.113.9',
    uid: 1_000,
  });
  const changed = [...bytes.keys()].filter((index) => bytes[index] !== given[index]);
  const isHidden = (index: number): boolean =>
    [RING.peer_address, RING.local_address].some((from) => index >= from && index < from + 16) ||
    [RING.uid, RING.socket_uid].some((from) => index >= from && index < from + 4);
  assert.deepEqual(
    changed.filter((index) => !isHidden(index)),
    [],
  );
  assert.ok(changed.length > 0);
});

test('settings hold from the next record on', () => {
  const ring = ringOf({ uid: 1_000 });
  const uids: number[] = [];
  const records = createPrivateRecords(masks({}));
  const pass = (): void =>
    records.pass(ring.words, ring.bytes, 0, (words, _bytes, at) => {
      uids.push(words[(at + RING.uid) >>> 2] ?? 0);
    });
  pass();
  records.configure(masks({ uid: 'drop' }));
  pass();
  records.configure(masks({}));
  pass();
  assert.deepEqual(uids, [1_000, 0xffff_ffff, 1_000]);
});

test('more addresses than are remembered still give the hash of each, and a known one is not hashed again', () => {
  let hashed = 0;
  const { address } = createHashes(KEY);
  const addresses = createAddresses({
    isInternal: (bytes, at) => bytes[at + 15] === 0,
    hash(bytes) {
      hashed += 1;
      return address(bytes);
    },
  });
  const words = new Uint32Array(4);
  const bytes = new Uint8Array(words.buffer);
  const masked = (number: number): string => {
    bytes.set(bytesOf('2001:db8::'));
    new DataView(bytes.buffer).setUint32(12, number);
    addresses.mask(words, bytes, 0);
    return Buffer.from(bytes).toString('hex');
  };
  const all = Array.from({ length: 50_000 }, (_, number) => masked(number));
  assert.equal(new Set(all).size, 50_000);
  for (const number of [1, 256, 49_999, 12_345]) {
    assert.equal(masked(number), all[number]);
    const before = hashed;
    assert.equal(masked(number), all[number]);
    assert.equal(hashed, before);
  }
  assert.match(all[256] ?? '', /^20010db8/);
  assert.match(all[257] ?? '', /^0100/);
});
