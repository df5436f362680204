import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { python } from './support/python.ts';
import { instanceName, startRecorder } from './support/recorder.ts';

const CONNECT = `
l = listener(); port = l.getsockname()[1]
for i in range(10):
    s = socket.create_connection(l.getsockname()); c, _ = l.accept(); s.close(); c.close()
say(port)
`;

test('two instances record the same connections side by side', async () => {
  const recorders = [await startRecorder(), await startRecorder()];
  try {
    const port = await python(CONNECT).line<number>();
    for (const recorder of recorders) {
      const own = await recorder.until(
        40,
        ({ local_port, peer_port }) => local_port === port || peer_port === port,
      );
      assert.equal(own.length, 40);
    }
  } finally {
    for (const recorder of recorders) recorder.close();
  }
});

test('the accounts of a killed trace are found by the next, with all that it had numbered', async () => {
  const instance = instanceName();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'support/hold.ts'), instance], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  const epoch = Number(await next());
  const port = await python(CONNECT).line<number>();
  assert.ok(port > 0);
  child.stdin.write('drain\n');
  const { seq } = JSON.parse(await next()) as { seq: number };
  assert.ok(seq >= 40);
  await python(CONNECT).line<number>();
  child.kill('SIGKILL');
  await once(child, 'exit');

  const recorder = await startRecorder({ instance });
  try {
    assert.equal(recorder.trace.notPinned, '');
    const stale = recorder.trace.stale();
    assert.deepEqual(
      stale.map(({ kernelEpoch, reason }) => [kernelEpoch, reason]),
      [[epoch, '']],
    );
    const total = stale[0]?.accounts?.reduce((sum, account) => sum + account.seq, 0) ?? 0;
    assert.ok(total >= seq + 40, `${total} after ${seq}`);
    recorder.trace.unpin(epoch);
    assert.deepEqual(recorder.trace.stale(), []);
  } finally {
    recorder.close();
  }
  assert.equal(existsSync(`/sys/fs/bpf/tcptrail/${instance}`), false);
});

test('a stopped trace numbers nothing more, and what its rings hold can still be drained', async () => {
  const recorder = await startRecorder();
  try {
    const port = await python(CONNECT).line<number>();
    recorder.trace.stop();
    await python(CONNECT).line<number>();
    const { seq, failed } = await recorder.drain();
    const own = recorder.records.filter(
      ({ local_port, peer_port }) => local_port === port || peer_port === port,
    );
    assert.equal(own.length, 40);
    assert.equal(seq, recorder.records.length + failed);
    assert.equal((await recorder.drain()).seq, seq);
  } finally {
    recorder.close();
  }
});
