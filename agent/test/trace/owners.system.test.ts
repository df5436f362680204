import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNetwork } from './support/network.ts';
import { python } from './support/python.ts';
import type { RingRecord } from './support/record.ts';
import { type Recorder, startRecorder } from './support/recorder.ts';

const PREFORK = `
l = listener()
workers = []
for i in range(2):
    pid = os.fork()
    if pid == 0:
        c, a = l.accept()
        if sys.argv[1] == 'reads': c.recv(1)
        if sys.argv[1] == 'writes': c.sendall(b'x')
        c.close(); os._exit(0)
    workers.append(pid)
for i in range(2):
    s = socket.create_connection(l.getsockname())
    if sys.argv[1] == 'reads': s.sendall(b'x')
    s.recv(1); s.close()
for w in workers: os.waitpid(w, 0)
say(dict(port=l.getsockname()[1], workers=workers, parent=os.getpid()))
`;

interface Prefork {
  readonly port: number;
  readonly workers: readonly number[];
  readonly parent: number;
}

for (const [how, source] of [
  ['reads', 'first_io'],
  ['writes', 'first_io'],
  ['closes', 'close'],
] as const) {
  test(`a forked worker that ${how} owns its connections, not the parent that listens`, async () => {
    const recorder = await startRecorder();
    try {
      const { port, workers, parent } = await python(PREFORK, { args: [how] }).line<Prefork>();
      const closes = await recorder.until(
        2,
        ({ kind, role, local_port }) => kind === 'close' && role === 'server' && local_port === port,
      );
      assert.deepEqual(closes.map(({ pid }) => Number(pid)).sort(), [...workers].sort());
      assert.deepEqual(new Set(closes.map(({ owner_source }) => owner_source)), new Set([source]));
      assert.deepEqual(new Set(closes.map(({ parent_pid }) => parent_pid)), new Set([parent]));
      const opens = recorder.records.filter(
        ({ kind, role, local_port }) => kind === 'open' && role === 'server' && local_port === port,
      );
      assert.deepEqual(
        opens.map(({ pid, owner_source }) => [pid, owner_source]),
        [
          [parent, 'listener'],
          [parent, 'listener'],
        ],
      );
    } finally {
      recorder.close();
    }
  });
}

test('connections of a listener and of sockets older than the trace have owner and role', async () => {
  const peer = python(`
l = listener()
old = socket.create_connection(l.getsockname()); oldc, _ = l.accept()
say(dict(port=l.getsockname()[1], old=old.getsockname()[1]))
hear()
# Reset by the peer before any I/O: only the listener can tell the owner.
for s in (socket.create_connection(l.getsockname()), old):
    port = s.getsockname()[1]; linger0(s); s.close()
    say(port)
hear()
`);
  let recorder: Recorder | undefined;
  try {
    const { port, old } = await peer.line<{ port: number; old: number }>();
    recorder = await startRecorder();
    peer.tell('go');
    const young = await peer.line<number>();
    const closes = await recorder.until(
      4,
      ({ kind, local_port, peer_port }) => kind === 'close' && (local_port === port || peer_port === port),
    );
    const serverOf = (client: number) => closes.find(({ peer_port }) => peer_port === client) ?? {};
    const client = closes.find(({ local_port }) => local_port === old) ?? {};
    assert.partialDeepStrictEqual(serverOf(young), {
      role: 'server',
      pid: peer.pid,
      owner_source: 'scan',
      counters_since: 'birth',
    });
    assert.partialDeepStrictEqual(serverOf(old), {
      role: 'server',
      pid: peer.pid,
      owner_source: 'scan',
      counters_since: 'scan',
      generation: 0,
    });
    assert.partialDeepStrictEqual(client, {
      role: 'client',
      pid: peer.pid,
      counters_since: 'scan',
      verdict: 'reset_sent',
    });
    peer.tell('end');
    await peer.ended();
  } finally {
    peer.kill();
    recorder?.close();
  }
});

test('what an earlier trace knew of an owner outlives the scan of who has the sockets now', async () => {
  let recorder = await startRecorder();
  const peer = python(`
l = listener(); port = l.getsockname()[1]
s = socket.create_connection(l.getsockname()); c, _ = l.accept()
child = os.fork()
if child == 0:
    hear(); s.close()
    # Reset before any I/O: only the listener can tell the owner.
    t = socket.create_connection(l.getsockname()); linger0(t); t.close()
    os._exit(0)
s.close(); c.close(); l.close()
say(port)
os.waitpid(child, 0)
`);
  try {
    const port = await peer.line<number>();
    recorder.close('blind');
    recorder = await startRecorder({ instance: recorder.instance });
    peer.tell('go');
    await peer.ended();
    const closeOf = async (role: string, since: string) => {
      const isMeant = (record: RingRecord): boolean =>
        record.kind === 'close' &&
        record.role === role &&
        record.counters_since === since &&
        record[role === 'client' ? 'peer_port' : 'local_port'] === port;
      return (await recorder.until(1, isMeant))[0] ?? {};
    };
    const old = await closeOf('client', 'scan');
    assert.deepEqual([old.pid, old.owner_source], [peer.pid, 'connect']);
    const young = await closeOf('server', 'birth');
    assert.deepEqual([young.pid, young.owner_source], [peer.pid, 'listener']);
  } finally {
    peer.kill();
    recorder.close();
  }
});

test('a bound socket older than the trace is a client, unless something listens on its port', async () => {
  const network = createNetwork();
  const peer = python(
    `
def bound(address, port):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((address, port)); return s
l = listener()
other = bound('127.0.0.1', 7002); other.listen()
ends = []
for s in (bound('127.0.0.2', 7001), bound('127.0.0.2', 7002)):
    s.connect(l.getsockname()); c, _ = l.accept(); ends += [s, c]
say(l.getsockname()[1]); hear()
for s in ends: s.close()
`,
    { namespace: network.here },
  );
  let recorder: Recorder | undefined;
  try {
    const port = await peer.line<number>();
    recorder = await startRecorder();
    peer.tell('go');
    await peer.ended();
    const closes = await recorder.until(4, ({ kind, pid }) => kind === 'close' && pid === peer.pid);
    const roles = closes.map(({ local_port, peer_port, role }) => [local_port, peer_port, role]);
    assert.deepEqual(
      new Set(roles.map(String)),
      new Set([`7001,${port},client`, `${port},7001,server`, `7002,${port},unknown`, `${port},7002,server`]),
    );
  } finally {
    peer.kill();
    recorder?.close();
    network.remove();
  }
});
