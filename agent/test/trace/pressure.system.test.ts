import assert from 'node:assert/strict';
import { test } from 'node:test';
import { python } from './support/python.ts';
import { startRecorder } from './support/recorder.ts';

const CONNECTIONS = 200;
const SCRIPT = `
l = listener(); port = l.getsockname()[1]
for i in range(${CONNECTIONS}):
    s = socket.create_connection(l.getsockname()); c, _ = l.accept(); s.close(); c.close()
    if hear_each: say(i); hear()
say(port)
`;
const LEAST_BYTES = 4096 * 4;
/** Less than the load takes, more than the rest of the machine is likely to take between two drains. */
const WRAPPED_BYTES = 4096 * 64;

test('records that wrap around the end of a small ring come whole and once', async () => {
  const recorder = await startRecorder({ lifecycleBytes: WRAPPED_BYTES, chatterBytes: WRAPPED_BYTES });
  try {
    const peer = python(`hear_each = True\n${SCRIPT}`);
    for (let i = 0; i < CONNECTIONS; i += 1) {
      assert.equal(await peer.line<number>(), i);
      await recorder.drain();
      peer.tell('next');
    }
    const port = await peer.line<number>();
    const own = await recorder.until(
      CONNECTIONS * 4,
      ({ kind, local_port, peer_port }) =>
        (kind === 'open' || kind === 'close') && (local_port === port || peer_port === port),
    );
    assert.equal(own.length, CONNECTIONS * 4);
    assert.equal(new Set(own.map(({ cpu, seq }) => `${cpu}:${seq}`)).size, own.length);
    assert.ok(recorder.trace.recording.rings.lifecycle.position > WRAPPED_BYTES);
    assert.equal((await recorder.drain()).failed, 0);
  } finally {
    recorder.close();
  }
});

test('a full ring loses events, and every one of them is counted by ring and kind', async () => {
  const recorder = await startRecorder({ lifecycleBytes: LEAST_BYTES, chatterBytes: LEAST_BYTES });
  try {
    const peer = python(`hear_each = False\n${SCRIPT}`);
    await peer.line<number>();
    await peer.ended();
    const { seq, failed } = await recorder.drain();
    assert.ok(failed > CONNECTIONS * 3);
    assert.equal(seq, recorder.records.length + failed);
    const byKind = recorder.trace.recording.failedReserves();
    assert.equal(
      byKind.reduce((sum, { count }) => sum + count, 0),
      failed,
    );
    for (const kind of ['open', 'close'])
      assert.ok(
        byKind.some((lost) => lost.ring === 'lifecycle' && lost.kind === kind && lost.count > 100),
        kind,
      );
  } finally {
    recorder.close();
  }
});

test('room that is not released stays taken', async () => {
  const recorder = await startRecorder({ lifecycleBytes: LEAST_BYTES, chatterBytes: LEAST_BYTES });
  try {
    const { lifecycle } = recorder.trace.recording.rings;
    const peer = python(`hear_each = False\n${SCRIPT}`);
    await peer.line<number>();
    const full = lifecycle.producerPosition();
    assert.ok(lifecycle.drain(full, () => {}) > 0);
    assert.ok(lifecycle.fill() > 0.9);
    lifecycle.release();
    assert.ok(lifecycle.fill() < 0.1);
  } finally {
    recorder.close();
  }
});
