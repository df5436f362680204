import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTrace } from '../../src/trace/trace.ts';
import { instanceName, startRecorder } from './support/recorder.ts';

const BPF = join(import.meta.dirname, '../../../bpf');
const ring = { lifecycleBytes: 65_536, chatterBytes: 65_536 };
const nowUs = (): number => 1;

test('every program of this kernel is attached, and none is skipped silently', async () => {
  const recorder = await startRecorder();
  try {
    const { capabilities } = recorder.trace;
    assert.deepEqual(
      capabilities.filter(({ attached, error }) => attached !== (error === '')),
      [],
    );
    for (const program of ['state', 'state_spare', 'destroy', 'scan_listeners']) {
      assert.ok(
        capabilities.some((capability) => capability.program === program && capability.attached),
        program,
      );
    }
    const skipped = recorder.trace.recording.skippedRuns();
    assert.ok(skipped.some(({ program }) => program === 'state'));
    assert.ok(!skipped.some(({ program }) => program === 'state_spare'));
    assert.ok(skipped.every(({ skipped_runs }) => Number.isSafeInteger(skipped_runs)));
  } finally {
    recorder.close();
  }
});

test('a program the kernel does not know is reported with its reason, and its next best variant runs', () => {
  const home = mkdtempSync(join(tmpdir(), 'tcptrail-object-'));
  try {
    // The tracepoints get names of the same length that no kernel has.
    const object = readFileSync(join(BPF, 'tcptrail.bpf.o'), 'latin1')
      .replaceAll('tp_btf/tcp_sendmsg_locked', 'tp_btf/tcp_sendmsg_xxxxxx')
      .replaceAll('tp_btf/tcp_destroy_sock', 'tp_btf/tcp_destroy_xxxx');
    const objectPath = join(home, 'x.bpf.o');
    writeFileSync(objectPath, object, 'latin1');
    copyFileSync(join(BPF, 'storage.layout'), join(home, 'storage.layout'));
    const instance = instanceName();
    const trace = createTrace({ instance, ring, objectPath }, { nowUs });
    trace.start();
    try {
      const state = Object.fromEntries(
        trace.capabilities.map(({ program, attached, error }) => [program, attached || error]),
      );
      assert.equal(state.first_send, 'this kernel has no such tracepoint');
      assert.equal(state.first_send_length, true);
      assert.equal(state.destroy, 'this kernel has no such tracepoint');
      assert.equal(state.state, true);
    } finally {
      trace.close({ forget: 'instance' });
      rmSync(join('/sys/fs/bpf/tcptrail', instance), { recursive: true, force: true });
    }
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('a kernel without type information is refused in one sentence', () => {
  const trace = createTrace({ instance: instanceName(), ring, btfPath: '/nowhere/vmlinux' }, { nowUs });
  assert.throws(() => trace.start(), {
    code: 'TRACE_NO_BTF',
    exitCode: 3,
    message:
      'this kernel has no type information at /nowhere/vmlinux; use a kernel built with CONFIG_DEBUG_INFO_BTF',
  });
});

test('a missing object is refused in one sentence, and nothing is left of the instance', () => {
  const instance = instanceName();
  const trace = createTrace({ instance, ring, objectPath: '/nowhere/x.o' }, { nowUs });
  assert.throws(() => trace.start(), {
    code: 'TRACE_OBJECT',
    message: /^cannot read the BPF object \/nowhere\/x\.o; /,
  });
  assert.equal(existsSync(join('/sys/fs/bpf/tcptrail', instance)), false);
});

test('a user without privilege is told which capabilities are missing', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'support/start.ts')], {
    uid: 65_534,
    gid: 65_534,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += String(data);
  });
  await once(child, 'close');
  assert.equal(
    output,
    'TRACE_PRIVILEGE 3 the agent lacks CAP_BPF and CAP_PERFMON; run it as root, or give it CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN\n',
  );
});
