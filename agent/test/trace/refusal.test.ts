import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { refusalReason } from '../../src/trace/kernel-object.ts';
import { coreRefused } from '../../src/trace/requirements.ts';

const hasAll = { hasMapType: () => true };
const interrupted = { errno: -constants.errno.EAGAIN, log: 'processed 5 insns\n' };

test('a load that signals cut off is never taken for an old kernel: starting again helps', () => {
  const { code, exitCode, message } = coreRefused(hasAll, 'state', interrupted);
  assert.equal(code, 'TRACE_INTERRUPTED');
  assert.equal(exitCode, 1);
  assert.equal(message, 'the kernel was interrupted while verifying state (EAGAIN); start again');
  assert.equal(
    refusalReason(interrupted),
    'the kernel was interrupted while verifying it (EAGAIN); start again',
  );
});

test('a core program that the verifier refuses means that the kernel is not supported', () => {
  const refusal = { errno: -constants.errno.EINVAL, log: 'R1 invalid\n' };
  const { code, exitCode, message } = coreRefused(hasAll, 'state', refusal);
  assert.equal(code, 'TRACE_KERNEL');
  assert.equal(exitCode, 3);
  assert.match(message, /refuses the core program state: R1 invalid \(EINVAL\); /);
});
