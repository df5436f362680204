import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressDigits } from './address.ts';
import { between } from './check.ts';
import { createElsewhere, type Known } from './elsewhere.ts';
import type { Row } from './rows.ts';

const [HOST, NEAR, FAR] = [1, 7, 8];
const ends = {
  local_address: addressDigits('10.9.0.1'),
  local_port: 1_000,
  peer_address: addressDigits('10.9.0.2'),
  peer_port: 2_000,
};
const scenario: Known = {
  expectations: [
    {
      kind: 'close',
      namespace: NEAR,
      key: { socket_cookie: 5 },
      fields: { ...ends, pid: 40, process_start_ts: between(90, 110) },
      least: 1,
      most: 1,
    },
  ],
  networks: [
    { inode: NEAR, sinceUs: 500 },
    { inode: FAR, sinceUs: 500 },
  ],
  processes: [],
};
const { ownerOf } = createElsewhere([scenario], HOST);
const NOTHING: Row = { network_namespace: 0, ts: 600, socket_cookie: 0, pid: 0, process_start_ts: 0 };
const isOurs = (row: Row): boolean => ownerOf({ ...NOTHING, ...row }) === scenario;

test('a row in no namespace is ours by its cookie, its process, or its addresses and ports', () => {
  assert.ok(isOurs({ socket_cookie: 5 }));
  assert.ok(isOurs({ pid: 40, process_start_ts: 100 }));
  assert.ok(isOurs(ends));
  assert.ok(isOurs({ ...ends, network_namespace: HOST }));
});

test('a row with none of these is not ours, nor one of a later process of that number', () => {
  assert.ok(!isOurs({ socket_cookie: 6 }));
  assert.ok(!isOurs({ pid: 40, process_start_ts: 200 }));
  assert.ok(!isOurs({ ...ends, peer_port: 2_001 }));
});

test('the same addresses in a namespace of others are theirs', () => {
  assert.ok(!isOurs({ ...ends, network_namespace: 9 }));
  assert.ok(isOurs({ socket_cookie: 5, network_namespace: 9 }));
});

test('a row in a namespace of the scenario stands where it should, unless it happened before that', () => {
  assert.ok(!isOurs({ socket_cookie: 5, network_namespace: NEAR }));
  assert.ok(!isOurs({ socket_cookie: 5, network_namespace: FAR }));
  assert.ok(isOurs({ socket_cookie: 5, network_namespace: NEAR, ts: 499 }));
});
