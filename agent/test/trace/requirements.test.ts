import assert from 'node:assert/strict';
import { release } from 'node:os';
import { test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { TRACE_ERRORS, traceError } from '../../src/trace/errors.ts';
import { missingCapabilities, missingFeature } from '../../src/trace/requirements.ts';

const hasAll = { hasMapType: () => true };

test('CAP_SYS_ADMIN is enough; without it CAP_BPF and CAP_PERFMON are named', () => {
  assert.deepEqual(missingCapabilities('CapEff:\t000001ffffffffff\n'), []);
  assert.deepEqual(missingCapabilities('CapEff:\t0000000000200000\n'), []);
  assert.deepEqual(missingCapabilities('CapEff:\t000000c000000000\n'), []);
  assert.deepEqual(missingCapabilities('CapEff:\t0000000000000000\n'), ['CAP_BPF', 'CAP_PERFMON']);
});

test('what a kernel lacks is named after what its verifier said', () => {
  const feature = (log: string) => missingFeature(hasAll, 'state_process', { errno: -22, log });
  const kernel = `kernel ${release()}`;
  assert.equal(
    feature('5: call 46\nunknown func bpf_get_socket_cookie#46\nprocessed 5 insns\n'),
    `${kernel} does not offer bpf_get_socket_cookie to tracing programs`,
  );
  assert.equal(
    feature('BPF_STX uses reserved fields\nprocessed 0 insns\n'),
    `${kernel} has no BPF atomic instructions`,
  );
  assert.equal(
    feature('R1 invalid\nprocessed 3 insns\n'),
    `${kernel} refuses the core program state_process: R1 invalid (EINVAL)`,
  );
  assert.equal(
    missingFeature({ hasMapType: (type) => type !== 27 }, 'state_process', { errno: -22, log: '' }),
    `${kernel} has no BPF ring buffer`,
  );
});

test('every error is one sentence with a remedy, and says that the machine is not supported', () => {
  for (const code of Object.keys(TRACE_ERRORS) as (keyof typeof TRACE_ERRORS)[]) {
    const error = traceError(code, 'X');
    assert.ok(error instanceof AppError);
    assert.match(error.message, /^[^\n]*X[^\n]*; [^\n]+$/);
  }
  assert.equal(traceError('TRACE_KERNEL', '').exitCode, 3);
});
