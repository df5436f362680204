import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAPABILITY, parseStatus, threads } from '../../src/privilege/capabilities.ts';

test('a thread has its effective user and both sets of capabilities', () => {
  const status =
    'Name:\tnode\nUid:\t0\t1\t2\t3\nGid:\t9\t9\t9\t9\nCapInh:\tffffffffffffffff\nCapPrm:\t0000008000080004\nCapEff:\t0000000000080000\n';
  assert.deepEqual(parseStatus(status), {
    uid: 1,
    permitted: CAPABILITY.CAP_BPF | CAPABILITY.CAP_SYS_PTRACE | CAPABILITY.CAP_DAC_READ_SEARCH,
    effective: CAPABILITY.CAP_SYS_PTRACE,
  });
});

test('every thread of this process is found', () => {
  assert.ok(threads().length > 1);
  for (const { uid } of threads()) assert.equal(uid, process.geteuid?.());
});
