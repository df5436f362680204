import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Peer, python } from './support/python.ts';
import type { RingRecord } from './support/record.ts';
import { type Recorder, startRecorder } from './support/recorder.ts';

interface Life {
  /** Under a first trace: makes the client `s`. */
  readonly begin: string;
  /** While no trace is there. */
  readonly away: string;
  /** Under a second trace of the instance; closes `s` when not given. */
  readonly then?: string;
}

interface Told {
  /** What the first trace told of the client's socket. */
  readonly earlier: RingRecord;
  readonly second: Recorder;
  /** What the second trace tells of it, at least `count` rows. */
  readonly later: (count: number) => Promise<readonly RingRecord[]>;
  /** Runs `then` to its end. */
  readonly go: () => Promise<unknown>;
}

/** SO_COOKIE */
const COOKIE = "struct.unpack('Q', s.getsockopt(socket.SOL_SOCKET, 57, 8))[0]";

async function restarted(life: Life, check: (told: Told) => Promise<void>): Promise<void> {
  let recorder = await startRecorder();
  let peer: Peer | undefined;
  try {
    const { begin, away, then = 's.close()' } = life;
    peer = python(`${begin}\nsay(${COOKIE}); hear()\n${away}\nsay(0); hear()\n${then}\nsay(0); hear()`);
    const cookie = await peer.line<number>();
    const isTold = ({ kind, socket_cookie }: RingRecord): boolean =>
      (kind === 'open' || kind === 'close' || kind === 'fail') && socket_cookie === cookie;
    const go = async () => {
      peer?.tell('go');
      await peer?.line();
    };
    const [earlier = {}] = await recorder.until(0, isTold);
    recorder.close('blind');
    await go();
    const second = await startRecorder({ instance: recorder.instance });
    recorder = second;
    await check({ earlier, second, later: (count) => second.until(count, isTold), go });
  } finally {
    peer?.kill();
    recorder.close();
  }
}

const CONNECTED = 'l = listener(); s = socket.create_connection(l.getsockname()); c, _ = l.accept()';
const RESET = 'linger0(c); c.close(); select.select([s], [], [], 10)';
/** The queue of the listener is full, so nothing answers the SYN. */
const CONNECTING = `
l = listener(backlog=0); full = socket.create_connection(l.getsockname()); select.select([l], [], [], 10)
s = socket.socket(); s.setblocking(False); s.connect_ex(l.getsockname())`;

test('an end that no program saw is told late when the socket is destroyed', async () => {
  const life = { begin: CONNECTED, away: RESET };
  await restarted(life, async ({ earlier, later, go }) => {
    assert.deepEqual(await later(0), []);
    await go();
    const [close, ...more] = await later(1);
    assert.partialDeepStrictEqual(close, {
      kind: 'close',
      late: 1,
      verdict: 'reset_received',
      generation: 1,
      established_ts: earlier.established_ts ?? 0,
    });
    assert.deepEqual(more, []);
  });
});

test('an end that no program saw is told late when the socket is looked at, and not again', async () => {
  const life = { begin: CONNECTED, away: RESET };
  await restarted(life, async ({ earlier, later, second, go }) => {
    second.watch();
    const [close] = await later(1);
    assert.partialDeepStrictEqual(close, {
      kind: 'close',
      late: 1,
      verdict: 'reset_received',
      generation: 1,
      counters_since: 'scan',
      established_ts: earlier.established_ts ?? 0,
    });
    await go();
    second.watch();
    assert.equal((await later(0)).length, 1);
  });
});

for (const [how, look] of [
  ['looked at', ({ second }: Told) => second.watch()],
  ['destroyed', ({ go }: Told) => go()],
] as const) {
  test(`a connect refused while no trace was there is a late fail when its socket is ${how}`, async () => {
    const away = 'l.close(); select.select([], [s], [], 10)';
    await restarted({ begin: CONNECTING, away }, async (told) => {
      await look(told);
      const rows = await told.later(1);
      assert.equal(rows.length, 1);
      assert.partialDeepStrictEqual(rows[0], { kind: 'fail', late: 1, verdict: 'refused', errno: 111 });
    });
  });

  test(`a connection that came and went while no trace was there is a late close when its socket is ${how}`, async () => {
    const away = `full.close(); l.accept(); c, _ = l.accept(); ${RESET}`;
    await restarted({ begin: CONNECTING, away }, async (told) => {
      await look(told);
      const rows = await told.later(1);
      assert.equal(rows.length, 1);
      assert.partialDeepStrictEqual(rows[0], { kind: 'close', late: 1, verdict: 'reset_received' });
    });
  });
}

test('a socket whose end was told and that connected while no trace was there has another connection', async () => {
  const life = {
    begin: `import ctypes\nlibc = ctypes.CDLL(None)\n${CONNECTED}
assert libc.connect(s.fileno(), b'\\0' * 16, 16) == 0`,
    away: "m = listener('127.0.0.2'); s.connect(m.getsockname()); d, _ = m.accept()",
  };
  await restarted(life, async ({ earlier, later, go }) => {
    assert.partialDeepStrictEqual(earlier, { kind: 'open', generation: 1 });
    await go();
    const rows = await later(1);
    assert.equal(rows.length, 1);
    assert.partialDeepStrictEqual(rows[0], {
      kind: 'close',
      late: 0,
      generation: 2,
      peer_address: '127.0.0.2',
      owner_source: 'close',
    });
  });
});

test('a socket that connected elsewhere while no trace was there has another connection', async () => {
  const life = {
    begin: `import ctypes\nlibc = ctypes.CDLL(None)\n${CONNECTED}`,
    away: `
assert libc.connect(s.fileno(), b'\\0' * 16, 16) == 0
m = listener(); s.connect(m.getsockname()); d, _ = m.accept()`,
  };
  await restarted(life, async ({ earlier, later, go }) => {
    await go();
    const [close, ...more] = await later(1);
    assert.partialDeepStrictEqual(close, {
      kind: 'close',
      late: 0,
      generation: 2,
      counters_since: 'scan',
      start_ts: 0,
      established_ts: 0,
      verdict: 'closed_local',
    });
    assert.notEqual(close?.peer_port, earlier.peer_port);
    assert.deepEqual(more, []);
  });
});

test('a listener that an earlier trace told of is told once by the next, though nothing moved', async () => {
  let recorder = await startRecorder();
  const peer = python('l = listener(); say(l.getsockname()[1]); hear()');
  try {
    const port = await peer.line<number>();
    const ofPort =
      (wanted: string) =>
      ({ kind, local_port }: RingRecord): boolean =>
        kind === wanted && local_port === port;
    recorder.watch();
    const [listen] = await recorder.until(1, ofPort('listen'));
    recorder.close('blind');
    recorder = await startRecorder({ instance: recorder.instance });
    recorder.watch();
    const [found] = await recorder.until(1, ofPort('listener'));
    assert.equal(found?.socket_cookie, listen?.socket_cookie);
    recorder.watch();
    assert.equal((await recorder.until(1, ofPort('listener'))).length, 1);
  } finally {
    peer.kill();
    recorder.close();
  }
});
