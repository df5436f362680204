/** bpffs of a test's own, which turns read-only. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { python } from './support/python.ts';
import { startRecorder } from './support/recorder.ts';

function bpffsOf(context: TestContext) {
  const path = mkdtempSync(join(tmpdir(), 'tcptrail-bpffs-'));
  execFileSync('mount', ['-t', 'bpf', 'tcptrail-test', path]);
  context.after(() => {
    // Lazily: a test that failed may still hold something there.
    execFileSync('umount', ['--lazy', path]);
    rmdirSync(path);
  });
  return { path, turn: (how: 'ro' | 'rw') => execFileSync('mount', ['-o', `remount,${how}`, path]) };
}

const CONNECT = `
l = listener(); s = socket.create_connection(l.getsockname()); c, _ = l.accept(); s.close(); c.close()
say(l.getsockname()[1])
`;

async function assertRecords({ until }: Awaited<ReturnType<typeof startRecorder>>): Promise<void> {
  const port = await python(CONNECT).line<number>();
  const ends = await until(2, ({ kind, local_port, peer_port }) => {
    return kind === 'close' && (local_port === port || peer_port === port);
  });
  assert.equal(ends.length, 2);
}

test('where bpffs is read-only the trace goes on without pins, and says why in one sentence', async (context) => {
  const bpffs = bpffsOf(context);
  const first = await startRecorder({ bpffs: bpffs.path });
  first.close('restart');
  bpffs.turn('ro');
  const recorder = await startRecorder({ bpffs: bpffs.path, instance: first.instance });
  const { trace } = recorder;
  try {
    assert.match(trace.notPinned, /^cannot use [^\n]*EROFS[^\n]*$/);
    assert.deepEqual([trace.recording.isResumed, trace.previous, trace.unopened], [false, [], []]);
    await assertRecords(recorder);
  } finally {
    recorder.close();
  }
});

test('a bpffs that turns read-only meanwhile ends no trace; what stays pinned is said, and records no more', async (context) => {
  const bpffs = bpffsOf(context);
  const first = await startRecorder({ bpffs: bpffs.path });
  const { trace, instance } = first;
  assert.equal(trace.notPinned, '');
  bpffs.turn('ro');
  await assertRecords(first);
  trace.detach();
  assert.match(trace.close({ forget: 'instance' }), /EROFS/);
  bpffs.turn('rw');
  const second = await startRecorder({ bpffs: bpffs.path, instance });
  try {
    assert.equal(second.trace.recording.isResumed, false);
    await assertRecords(second);
    assert.equal(second.trace.previous.length, 1);
  } finally {
    second.close();
  }
  assert.deepEqual(readdirSync(join(bpffs.path, 'tcptrail')), []);
});
