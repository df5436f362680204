/** What the programs did not see, of connections that they go on with: the state program's runs can be passed over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOOKS } from '../../src/trace/hooks.ts';
import { createNetwork } from './support/network.ts';
import { python } from './support/python.ts';
import type { RingRecord } from './support/record.ts';
import { type Recorder, startRecorder } from './support/recorder.ts';

interface Life {
  readonly namespace?: string;
  /** Seen: makes the client `s`. */
  readonly seen: string;
  /** Not seen. */
  readonly missed: string;
  /** Done before `missed`. */
  readonly between?: () => void;
  /** Seen again. */
  readonly again: string;
}

/** SO_COOKIE */
const COOKIE = "struct.unpack('Q', s.getsockopt(socket.SOL_SOCKET, 57, 8))[0]";
const TOLD = ['open', 'update', 'close', 'fail'];

async function blindFor(
  life: Life,
  check: (told: {
    readonly recorder: Recorder;
    readonly rows: (count: number) => Promise<readonly RingRecord[]>;
    readonly again: () => Promise<unknown>;
    /** Of `s`. */
    readonly port: number;
  }) => Promise<void>,
): Promise<void> {
  const epochUs = Date.now() * 1_000;
  const events = { openHoldMs: 60_000 };
  let recorder = await startRecorder({ epochUs, events });
  const peer = python(
    `import ctypes\nlibc = ctypes.CDLL(None)
def disconnect(s): assert libc.connect(s.fileno(), b'\\0' * 16, 16) == 0
${life.seen}\nsay([${COOKIE}, s.getsockname()[1]]); hear()\n${life.missed}\nsay(0); hear()\n${life.again}\nsay(0); hear()`,
    life.namespace === undefined ? {} : { namespace: life.namespace },
  );
  const go = async (): Promise<void> => {
    peer.tell('go');
    await peer.line();
  };
  try {
    const [cookie, port] = await peer.line<readonly [number, number]>();
    recorder.close('blind');
    life.between?.();
    await go();
    recorder = await startRecorder({ epochUs, events, instance: recorder.instance });
    const isTold = ({ kind, socket_cookie }: RingRecord): boolean =>
      TOLD.includes(String(kind)) && socket_cookie === cookie;
    await check({ recorder, rows: (count) => recorder.until(count, isTold), again: go, port });
  } finally {
    peer.kill();
    recorder.close();
  }
}

const CONNECTED = `
l = listener(); m = listener('127.0.0.2', port=l.getsockname()[1])
s = socket.socket(); s.bind(('127.0.0.3', 0)); s.connect(l.getsockname()); c, _ = l.accept()`;

test('a missed end is told before the next connection of its socket, with its own endpoints', async () => {
  const life = {
    seen: CONNECTED,
    missed: 'disconnect(s)',
    again: 's.connect(m.getsockname()); d, _ = m.accept(); s.close(); d.close()',
  };
  await blindFor(life, async ({ rows, again, port }) => {
    await again();
    const [end, next, ...more] = await rows(2);
    assert.partialDeepStrictEqual(end, {
      kind: 'close',
      late: 1,
      generation: 1,
      verdict: 'unknown',
      errno: 0,
      errno_known: 0,
      bytes_unsent: 0,
      counters_since: 'scan',
      local_address: '127.0.0.3',
      local_port: port,
      peer_address: '127.0.0.1',
      peer_port: next?.peer_port ?? 0,
    });
    assert.partialDeepStrictEqual(next, {
      kind: 'close',
      late: 0,
      generation: 2,
      errno_known: 1,
      peer_address: '127.0.0.2',
    });
    assert.deepEqual(more, []);
  });
});

test('a missed end is told before a connect without a route, and both have their numbers', async () => {
  const network = createNetwork();
  try {
    const life = {
      namespace: network.here,
      seen: "l = listener('10.9.0.1'); s = socket.create_connection(l.getsockname()); c, _ = l.accept()",
      missed: 'disconnect(s)',
      again: "s.connect_ex(('203.0.113.1', 9)); s.close()",
    };
    await blindFor(life, async ({ rows, again }) => {
      await again();
      const [end, attempt, ...more] = await rows(2);
      assert.partialDeepStrictEqual(end, {
        kind: 'close',
        late: 1,
        generation: 1,
        peer_address: '10.9.0.1',
      });
      assert.partialDeepStrictEqual(attempt, {
        kind: 'fail',
        late: 0,
        generation: 2,
        peer_address: '203.0.113.1',
      });
      assert.deepEqual(more, []);
    });
  } finally {
    network.remove();
  }
});

test('a connect given up unseen is a late fail, with the port it had', async () => {
  const network = createNetwork();
  try {
    network.rules(network.there, 'input', ['drop']);
    const life = {
      namespace: network.here,
      seen: "s = socket.socket(); s.setblocking(False); s.connect_ex(('10.9.0.2', 9))",
      missed: 'disconnect(s)',
      again: 's.close()',
    };
    await blindFor(life, async ({ rows, again, port }) => {
      await again();
      const [fail, ...more] = await rows(1);
      assert.partialDeepStrictEqual(fail, {
        kind: 'fail',
        late: 1,
        generation: 1,
        errno_known: 0,
        verdict: 'unknown',
        local_address: '10.9.0.1',
        local_port: port,
        peer_address: '10.9.0.2',
        peer_port: 9,
      });
      assert.deepEqual(more, []);
    });
  } finally {
    network.remove();
  }
});

test('a missed end is told when its socket begins to listen', async () => {
  const life = { seen: CONNECTED, missed: 'disconnect(s)', again: 's.listen()' };
  await blindFor(life, async ({ rows, again }) => {
    await again();
    const [end, ...more] = await rows(1);
    assert.partialDeepStrictEqual(end, { kind: 'close', late: 1, generation: 1, peer_address: '127.0.0.1' });
    assert.deepEqual(more, []);
  });
});

test('a connection whose establishment was missed is told while it lives, once, and at its end', async () => {
  const network = createNetwork();
  try {
    network.rules(network.there, 'input', ['drop']);
    const life = {
      namespace: network.here,
      seen: "s = socket.socket(); s.setblocking(False); s.connect_ex(('10.9.0.2', 9))",
      between: () => network.rules(network.there, 'input', []),
      missed: 'select.select([], [s], [], 10); assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0',
      again: 's.close()',
    };
    const server = python("l = listener('10.9.0.2', port=9); say(0); hear()", { namespace: network.there });
    try {
      await server.line();
      await blindFor(life, async ({ recorder, rows, again }) => {
        recorder.watch();
        recorder.watch();
        const [update, ...twice] = await rows(1);
        const known = { generation: 1, established_ts: 0, counters_since: 'birth', peer_address: '10.9.0.2' };
        assert.partialDeepStrictEqual(update, { ...known, kind: 'update', state: 'established' });
        assert.deepEqual(twice, []);
        await again();
        const [, close, ...more] = await rows(2);
        assert.partialDeepStrictEqual(close, { ...known, kind: 'close', late: 0 });
        assert.deepEqual(more, []);
      });
    } finally {
      server.kill();
    }
  } finally {
    network.remove();
  }
});

test('the spare state program tells everything that the first one does not', async () => {
  const hooks = HOOKS.filter(({ variants }) => variants[0].program !== 'state');
  const recorder = await startRecorder({ hooks });
  const peer = python(
    `
l = listener(); s = socket.create_connection(l.getsockname()); c, _ = l.accept()
say(s.getsockname()[1]); hear()
s.close(); c.recv(1); c.close(); l.close()
r = socket.socket(); r.connect_ex(l_name)`.replace('l.close()', 'l_name = l.getsockname(); l.close()'),
  );
  try {
    const port = await peer.line<number>();
    recorder.watch();
    peer.tell('go');
    await peer.ended();
    const rows = await recorder.until(0, ({ pid }) => pid === peer.pid);
    const kinds = rows.map(({ kind, role }) => `${role} ${kind}`).sort();
    assert.deepEqual(
      kinds.filter((kind) => !kind.endsWith(' reset')),
      [
        'client close',
        'client fail',
        'client open',
        'server close',
        'server listen',
        'server open',
        'server unlisten',
      ],
    );
    const [close] = rows.filter(({ kind, role }) => kind === 'close' && role === 'client');
    assert.partialDeepStrictEqual(close, { local_port: port, late: 0, verdict: 'closed_local' });
  } finally {
    peer.kill();
    recorder.close();
  }
});
