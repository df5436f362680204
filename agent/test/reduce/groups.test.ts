import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGroups } from '../../src/reduce/groups.ts';
import { closeOf, type Values } from '../support/closes.ts';
import { createReducedBatches } from '../support/reduced-batches.ts';

const KEY = { first: 5, second: 6 };
const OWNER = { program: 1, words: new Uint32Array() };

test('connections whose keys look alike are told apart by all that must be the same', () => {
  const groups = createGroups<typeof OWNER>(8);
  const one = closeOf();
  groups.open(one.words, one.bytes, one.at, KEY, OWNER);
  const find = (change: Values, program = OWNER.program): number => {
    const { words, bytes, at } = closeOf(change);
    return groups.find(words, bytes, at, KEY, program);
  };
  assert.equal(find({ seq: 2, peer_port: 1, bytes_sent: 5 }), 0);
  assert.equal(find({ local_port: 444 }), -1);
  assert.equal(find({ peer_address: '10.0.0.3' }), -1);
  assert.equal(find({ verdict: 'closed_local' }), -1);
  assert.equal(find({}, 2), -1);
});

test('means weighted by connections give the sum again, also where some connections have no value', () => {
  const values = [300, 0, 500, 0, 0, 400];
  const { append, close } = createReducedBatches();
  append(...values.map((rtt_us, index) => ({ seq: index + 1, rtt_us, handshake_us: rtt_us / 10 })));
  const rows = close();
  const weighted = (field: string): number =>
    rows.reduce((sum, row) => sum + Number(row[field]) * Number(row['connections']), 0);
  assert.deepEqual(
    [rows.length < values.length, weighted('rtt_us'), weighted('handshake_us')],
    [true, 1_200, 120],
  );
});

test('as many groups as there is room for, found wherever they stand, and none when cleared', () => {
  const groups = createGroups<typeof OWNER>(3);
  const closes = [1, 2, 3].map((port) => closeOf({ local_port: port }));
  for (const { words, bytes, at } of closes) groups.open(words, bytes, at, KEY, OWNER);
  assert.equal(groups.isFull, true);
  assert.deepEqual(
    closes.map(({ words, bytes, at }) => groups.find(words, bytes, at, KEY, OWNER.program)),
    [0, 1, 2],
  );
  groups.clear();
  assert.deepEqual([groups.count, groups.isFull, [...groups.rows()].length], [0, false, 0]);
  assert.deepEqual(
    closes.map(({ words, bytes, at }) => groups.find(words, bytes, at, KEY, OWNER.program)),
    [-1, -1, -1],
  );
});
