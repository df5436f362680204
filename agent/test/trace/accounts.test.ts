import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_KINDS } from '@tcptrail/schemas/enums.ts';
import { ACCOUNT_BYTES, createAccounts } from '../../src/trace/accounts.ts';

const CPU = ACCOUNT_BYTES / 8;
const FAILED = 2;
const FAILED_BY = 7;
const memory = (): BigUint64Array => new BigUint64Array(2 * CPU);

test('a sample is each CPU, when all that was numbered is in a ring or counted', () => {
  const words = memory();
  words.set([7n, 4n, 2n, 1n]);
  words.set([3n, 3n, 0n, 0n], CPU);
  assert.deepEqual(createAccounts(words, { cpus: 2, bytes: ACCOUNT_BYTES }).sample(), [
    { cpu: 0, seq: 7, failed: 2, folded: 0, filtered: 1 },
    { cpu: 1, seq: 3, failed: 0, folded: 0, filtered: 0 },
  ]);
});

test('there is no sample while an event on any CPU is under way', () => {
  const words = memory();
  words.set([3n, 2n], CPU);
  const accounts = createAccounts(words, { cpus: 2, bytes: ACCOUNT_BYTES });
  assert.equal(accounts.sample(), undefined);
  words[CPU + 1] = 3n;
  assert.notEqual(accounts.sample(), undefined);
});

test('failed reserves are summed over the CPUs by ring and kind', () => {
  const words = memory();
  const close = EVENT_KINDS.indexOf('close');
  const retransmit = EVENT_KINDS.indexOf('retransmit');
  words[FAILED] = 2n;
  words[CPU + FAILED] = 7n;
  words[FAILED_BY + close] = 2n;
  words[CPU + FAILED_BY + close] = 3n;
  words[CPU + FAILED_BY + EVENT_KINDS.length + retransmit] = 4n;
  assert.deepEqual(createAccounts(words, { cpus: 2, bytes: ACCOUNT_BYTES }).failedReserves(), [
    { ring: 'lifecycle', kind: 'close', count: 5 },
    { ring: 'chatter', kind: 'retransmit', count: 4 },
  ]);
});

test('an element is whole cache lines', () => {
  assert.equal(ACCOUNT_BYTES % 64, 0);
});
