import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { TRACE_ERRORS, traceError } from '../../src/trace/errors.ts';
import { checkRequirements, missingCapabilities, missingFeature } from '../../src/trace/requirements.ts';
import { tempFolder } from '../support/temp-folder.ts';

const hasAll = { hasMapType: () => true };

test('CAP_SYS_ADMIN is enough; without it CAP_BPF and CAP_PERFMON are named', () => {
  assert.deepEqual(missingCapabilities('CapEff:\t000001ffffffffff\n'), []);
  assert.deepEqual(missingCapabilities('CapEff:\t0000000000200000\n'), []);
  assert.deepEqual(missingCapabilities('CapEff:\t000000c000000000\n'), []);
  assert.deepEqual(missingCapabilities('CapEff:\t0000000000000000\n'), ['CAP_BPF', 'CAP_PERFMON']);
});

/** Files of a machine that has all that is required. */
function machine(t: TestContext) {
  const folder = tempFolder(t);
  const files = {
    btf: join(folder, 'vmlinux'),
    status: join(folder, 'status'),
    userNamespace: join(folder, 'user'),
    lockdown: join(folder, 'lockdown'),
  };
  writeFileSync(files.btf, '');
  writeFileSync(files.status, 'CapEff:\t000001ffffffffff\n');
  symlinkSync('user:[4026531837]', files.userNamespace);
  writeFileSync(files.lockdown, 'none [integrity] confidentiality\n');
  return { files, check: () => checkRequirements(files.btf, files) };
}

test('a kernel locked down to integrity, or without lockdown and user namespaces, is good enough', (t) => {
  const { files, check } = machine(t);
  check();
  rmSync(files.lockdown);
  rmSync(files.userNamespace);
  check();
});

test('root of another user namespace is refused, whatever capabilities it seems to have', (t) => {
  const { files, check } = machine(t);
  rmSync(files.userNamespace);
  symlinkSync('user:[4026532177]', files.userNamespace);
  assert.throws(check, { code: 'TRACE_USER_NAMESPACE', exitCode: 3, message: /userns_mode: host/ });
});

test('a kernel locked down to confidentiality is refused', (t) => {
  const { files, check } = machine(t);
  writeFileSync(files.lockdown, 'none integrity [confidentiality]\n');
  assert.throws(check, {
    code: 'TRACE_LOCKDOWN',
    exitCode: 3,
    message: /confidentiality mode.*lockdown=integrity/,
  });
});

test('what a kernel lacks is named after what its verifier said', () => {
  const feature = (log: string) => missingFeature(hasAll, 'state', { errno: -22, log });
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
    `${kernel} refuses the core program state: R1 invalid (EINVAL)`,
  );
  assert.equal(
    missingFeature({ hasMapType: (type) => type !== 27 }, 'state', { errno: -22, log: '' }),
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
