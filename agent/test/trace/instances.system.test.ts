import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { HOOKS } from '../../src/trace/hooks.ts';
import { python } from './support/python.ts';
import type { RingRecord } from './support/record.ts';
import { instanceName, type Recorder, startRecorder } from './support/recorder.ts';

const CONNECT = `
l = listener(); port = l.getsockname()[1]
for i in range(10):
    s = socket.create_connection(l.getsockname()); c, _ = l.accept(); s.close(); c.close()
say(port)
`;

/** Of one port; not the listener's own. */
const ofPort =
  (port: number) =>
  ({ kind, local_port, peer_port }: RingRecord): boolean =>
    (kind === 'open' || kind === 'close') && (local_port === port || peer_port === port);

/** Of a hook that a better variant runs for. */
const isOlderVariant = (program: string): boolean =>
  HOOKS.some(({ variants }) => variants.slice(1).some((variant) => variant.program === program));

test('two instances record the same connections side by side', async () => {
  const recorders = [await startRecorder(), await startRecorder()];
  try {
    const port = await python(CONNECT).line<number>();
    for (const recorder of recorders) {
      const own = await recorder.until(40, ofPort(port));
      assert.equal(own.length, 40);
    }
  } finally {
    for (const recorder of recorders) recorder.close();
  }
});

test('a killed trace is gone on with: what it had not read, and what came while there was none', async () => {
  const instance = instanceName();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'support/hold.ts'), instance], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  const epoch = Number(await next());
  const read = await python(CONNECT).line<number>();
  child.stdin.write('drain\n');
  const { rows } = JSON.parse(await next()) as { rows: number };
  assert.ok(rows >= 40);
  const unread = await python(CONNECT).line<number>();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const away = await python(CONNECT).line<number>();

  const recorder = await startRecorder({ instance });
  try {
    const { trace, records } = recorder;
    assert.deepEqual(
      [trace.recording.isResumed, trace.recording.kernelEpoch, trace.notPinned],
      [true, epoch, ''],
    );
    assert.deepEqual(trace.previous, []);
    assert.ok(trace.capabilities.every(({ attached, program }) => attached || isOlderVariant(program)));
    const now = await python(CONNECT).line<number>();
    for (const port of [unread, away, now]) assert.equal((await recorder.until(40, ofPort(port))).length, 40);
    assert.deepEqual(records.filter(ofPort(read)), []);
    const { seq, failed } = await recorder.drain();
    assert.equal(seq, rows + records.length + failed);
  } finally {
    recorder.close();
  }
  assert.equal(existsSync(`/sys/fs/bpf/tcptrail/${instance}`), false);
});

test('a connection keeps its identity, owner and beginning over a restart of the trace', async () => {
  const first = await startRecorder();
  const peer = python(`
l = listener()
s = socket.socket()
for refused in range(2):
    try: s.connect(('127.0.0.1', 1))
    except OSError: pass
s.connect(l.getsockname()); c, _ = l.accept(); s.send(b'abc'); c.recv(3)
say(0); hear()
s.send(b'defg'); c.recv(4); s.close(); c.close()
say(0); hear()
`);
  let second: Recorder | undefined;
  try {
    await peer.line();
    const opens = await first.until(2, ({ kind, pid }) => kind === 'open' && pid === peer.pid);
    first.close('blind');
    second = await startRecorder({ instance: first.instance });
    peer.tell('go');
    await peer.line();
    const closes = await second.until(2, ({ kind, pid }) => kind === 'close' && pid === peer.pid);
    assert.equal(second.records.filter(({ kind, pid }) => kind === 'open' && pid === peer.pid).length, 0);
    for (const open of opens) {
      const close = closes.find(({ socket_cookie }) => socket_cookie === open.socket_cookie);
      for (const field of ['generation', 'role', 'pid', 'start_ts', 'established_ts'])
        assert.equal(close?.[field], open[field], field);
      assert.equal(close?.['counters_since'], 'scan');
    }
    const client = closes.find(({ role }) => role === 'client');
    assert.deepEqual([client?.['generation'], client?.['bytes_sent']], [3, 7]);
    peer.tell('end');
    await peer.ended();
  } finally {
    peer.kill();
    (second ?? first).close();
  }
});

const SCAN_MS = 5_000;
const CHATTER_BYTES = 65_536;

/** Looks for what no hook tells, pass after pass, until `done`. Returns its clock, ms. */
async function watchUntil({ trace, drain }: Recorder, fromMs: number, done: (nowMs: number) => boolean) {
  const deadline = Date.now() + 10_000;
  let nowMs = fromMs;
  for (; !done(nowMs); nowMs += SCAN_MS) {
    if (Date.now() > deadline) throw new Error('not done in 10 s');
    trace.watch(nowMs);
    await drain();
  }
  return nowMs;
}

test('a quiet connection is told once by each trace that is younger, more than its ring holds too', async () => {
  const first = await startRecorder();
  const peer = python(`
l = listener(); all = []
for i in range(150):
    s = socket.create_connection(l.getsockname()); all += [s, l.accept()[0]]
say(0); hear()
`);
  let running = [first];
  const names = (records: readonly RingRecord[]) =>
    records.map(({ socket_cookie, generation }) => `${socket_cookie}/${generation}`).sort();
  const ofPeer =
    (wanted: string) =>
    ({ kind, pid }: RingRecord): boolean =>
      kind === wanted && pid === peer.pid;
  try {
    await peer.line();
    const opens = await first.until(300, ofPeer('open'));
    assert.ok(opens.length * RING_EVENT_BYTES > CHATTER_BYTES);
    first.close('blind');
    running = [];
    for (const instance of [first.instance, instanceName()]) {
      const goesOn = instance === first.instance;
      const recorder = await startRecorder({ instance, chatterBytes: CHATTER_BYTES });
      running.push(recorder);
      const updates = () => recorder.records.filter(ofPeer('update'));
      const toldMs = await watchUntil(recorder, 1, () =>
        goesOn ? recorder.trace.olderTold : updates().length >= opens.length,
      );
      assert.deepEqual(names(updates()), names(opens));
      await watchUntil(recorder, toldMs, (nowMs) => nowMs > toldMs + 3 * SCAN_MS);
      assert.equal(updates().length, opens.length);
      // Without the storage of an earlier one it cannot know of sockets that no process holds open.
      assert.equal(recorder.trace.olderTold, goesOn);
    }
    peer.tell('end');
    await peer.ended();
  } finally {
    peer.kill();
    for (const recorder of running) recorder.close();
  }
});

test('a stopped trace numbers nothing more, and what its rings hold can still be drained', async () => {
  const recorder = await startRecorder();
  try {
    const port = await python(CONNECT).line<number>();
    recorder.trace.detach();
    await python(CONNECT).line<number>();
    const { seq, failed } = await recorder.drain();
    const own = recorder.records.filter(ofPort(port));
    assert.equal(own.length, 40);
    assert.equal(seq, recorder.records.length + failed);
    assert.equal((await recorder.drain()).seq, seq);
  } finally {
    recorder.close();
  }
});
