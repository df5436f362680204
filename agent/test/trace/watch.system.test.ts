import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/harness/until.ts';
import { python } from './support/python.ts';
import type { RingRecord } from './support/record.ts';
import { type Recorder, startRecorder } from './support/recorder.ts';

const UPDATE_MS = 100;
const NS_PER_MS = 1_000_000;

/** Two connections; one of them moves a byte at each line, and says how many it has moved. */
const SCRIPT = `
l = listener()
moving = socket.create_connection(l.getsockname()); c, _ = l.accept()
quiet = socket.create_connection(l.getsockname()); d, _ = l.accept()
say(dict(moving=moving.getsockname()[1], quiet=quiet.getsockname()[1]))
moved = 0
while hear() == 'move':
    moving.sendall(b'x'); c.recv(1); moved += 1; say(moved)
`;

interface Ports {
  readonly moving: number;
  readonly quiet: number;
}

const told = (recorder: Recorder, port: number): RingRecord[] =>
  recorder.records.filter(
    ({ kind, role, local_port }) =>
      (kind === 'open' || kind === 'update') && role === 'client' && local_port === port,
  );
const segments = ({ segs_in, segs_out }: RingRecord): number => Number(segs_in) + Number(segs_out);
const pairs = (records: readonly RingRecord[]): (readonly [RingRecord, RingRecord])[] =>
  records.slice(1).map((record, index) => [records[index] ?? {}, record]);

test('a connection is updated when its counters moved, and not before its time', async () => {
  const recorder = await startRecorder({ events: { updateMs: UPDATE_MS } });
  const peer = python(SCRIPT);
  try {
    const { moving, quiet } = await peer.line<Ports>();
    let moved = 0;
    await until('updates of the connection that moves', async () => {
      peer.tell('move');
      moved = await peer.line<number>();
      recorder.watch();
      await recorder.drain();
      return told(recorder, moving).length > 6;
    });
    const [open, ...updates] = told(recorder, moving);
    assert.equal(open?.kind, 'open');
    for (const [earlier, later] of pairs(updates)) {
      assert.equal(later.kind, 'update');
      assert.ok(Number(later.ts) - Number(earlier.ts) >= UPDATE_MS * NS_PER_MS);
      assert.ok(Number(later.bytes_sent) > Number(earlier.bytes_sent));
    }
    assert.equal(updates.at(-1)?.bytes_sent, moved);
    for (const [earlier, later] of pairs(told(recorder, quiet)))
      assert.notEqual(segments(later), segments(earlier));
  } finally {
    peer.kill();
    recorder.close();
  }
});

test('there are no updates where none are wanted', async () => {
  const recorder = await startRecorder({ events: { updateMs: 0 } });
  const peer = python(SCRIPT);
  try {
    const { moving } = await peer.line<Ports>();
    for (let moves = 0; moves < 3; moves += 1) {
      peer.tell('move');
      await peer.line<number>();
      recorder.watch();
    }
    await recorder.drain();
    assert.deepEqual(
      told(recorder, moving).map(({ kind }) => kind),
      ['open'],
    );
  } finally {
    peer.kill();
    recorder.close();
  }
});

test('updates end and begin again while the programs run', async () => {
  const recorder = await startRecorder({ events: { updateMs: 1 } });
  const peer = python(SCRIPT);
  const move = async (): Promise<number> => {
    peer.tell('move');
    await peer.line<number>();
    recorder.watch();
    await recorder.drain();
    return told(recorder, moving).length;
  };
  const { moving } = await peer.line<Ports>();
  try {
    await until('an update', async () => (await move()) > 1);
    recorder.trace.setTunables({ updatesOff: true });
    const count = await move();
    for (let moves = 0; moves < 3; moves += 1) assert.equal(await move(), count);
    recorder.trace.setTunables({ updatesOff: false });
    await until('an update again', async () => (await move()) > count);
  } finally {
    peer.kill();
    recorder.close();
  }
});

test('what no hook tells is looked for once in scanMs', async () => {
  const scanMs = 3_600_000;
  const recorder = await startRecorder({ events: { scanMs } });
  recorder.trace.watch(0);
  const peer = python('l = listener(); say(l.getsockname()[1]); hear()');
  try {
    const port = await peer.line<number>();
    const listens = async (): Promise<number> => {
      await recorder.drain();
      return recorder.records.filter(({ kind, local_port }) => kind === 'listen' && local_port === port)
        .length;
    };
    recorder.trace.watch(scanMs - 1);
    assert.equal(await listens(), 0);
    recorder.trace.watch(scanMs);
    assert.equal(await listens(), 1);
  } finally {
    peer.kill();
    recorder.close();
  }
});

test('a listener that still listens is told again, however quiet', async () => {
  const listenerMs = 100;
  const recorder = await startRecorder({ events: { updateMs: 0, listenerMs } });
  const peer = python('l = listener(); say(l.getsockname()[1]); hear()');
  try {
    const port = await peer.line<number>();
    const words = (): readonly RingRecord[] =>
      recorder.records.filter(({ peer_port, local_port }) => peer_port === 0 && local_port === port);
    await until('the listener to be told again twice', async () => {
      recorder.watch();
      await recorder.drain();
      return words().length > 2;
    });
    const kinds = words().map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(0, 3), ['listen', 'listener', 'listener']);
    for (const [earlier, later] of pairs(words().slice(1)))
      assert.ok(Number(later.ts) - Number(earlier.ts) >= listenerMs * NS_PER_MS);
  } finally {
    peer.kill();
    recorder.close();
  }
});
