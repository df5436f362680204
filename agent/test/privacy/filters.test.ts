import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { createPrivateRecords } from '../../src/privacy/records.ts';
import { masksOf } from '../../src/privacy.ts';
import { createFilter, type FilterRule } from '../../src/reduce/filter.ts';
import { createReducer, type ReducerConfig, type ReducerDeps } from '../../src/reduce/reducer.ts';
import { bytesOf } from '../support/address-bytes.ts';
import { ringOf } from '../support/ring-record.ts';

const CONFIG: Omit<ReducerConfig, 'filter'> = {
  ...{ rowsMax: 10, bytesMax: 16_384, flushMs: 100, windowMs: 1_000 },
  ...{ fold: false, openHoldMs: 1_000, sinceNs: 0n },
};

/** The addresses and users that reach the batch of two records: to 203.0.113.8 of 1000, to 203.0.113.9 of 1001. */
function reaching(rule: Omit<FilterRule, 'name'>): string[] {
  const reached: string[] = [];
  const nothing = {} as ReducerDeps<never, never>;
  const privacy = { uid: 'drop', peers: 'drop', key: '', keyFile: '', internal: [] } as const;
  const filter = createFilter([{ name: 'rule', ...rule }]);
  const reducer = createReducer(CONFIG, {
    ...nothing,
    records: createPrivateRecords(masksOf({ privacy, process: { commandLine: false, redact: [] } })),
    account: { ...nothing.account, filter: () => {} },
    builder: {
      ...nothing.builder,
      accepts: () => true,
      append(words, bytes, at) {
        const peer = Buffer.from(bytes.subarray(at + RING.peer_address, at + RING.peer_address + 16));
        reached.push(`${peer.toString('hex')} ${words[(at + RING.uid) >>> 2]}`);
      },
    },
  });
  reducer.setFilter(filter, 0n);
  const ring = ringOf({ pid: 1, uid: 1_000 }, { pid: 2, uid: 1_001 });
  for (const [index, at] of ring.at.entries()) {
    ring.bytes.set(bytesOf(`203.0.113.${8 + index}`), at + RING.peer_address);
    reducer.append(ring.words, ring.bytes, at);
  }
  return reached;
}

test('filters ask for what a record really holds, and what they let through is hidden', () => {
  const hidden = `01${'0'.repeat(30)} ${0xffff_ffff}`;
  assert.deepEqual(reaching({ peers: ['203.0.113.8/32'] }), [hidden]);
  assert.deepEqual(reaching({ uids: [1_001] }), [hidden]);
  assert.deepEqual(reaching({ uids: [1_000, 1_001] }), []);
  assert.deepEqual(reaching({ peers: ['100::/64'] }), [hidden, hidden]);
});
