import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { python } from './support/python.ts';
import type { RingRecord } from './support/record.ts';
import { type Recorder, startRecorder } from './support/recorder.ts';

interface Connection {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  readonly client: number;
  readonly server: number;
  readonly request: number;
  readonly response: number;
}

const SCRIPT = `
import random
random.seed(7)
out, refused = [], []
def serve(l, n, sizes):
    for i in range(n):
        c, _ = l.accept()
        read_all(c); c.sendall(b'r' * sizes[i]); c.close()
for family, name, address in ((socket.AF_INET, 'ipv4', '127.0.0.1'), (socket.AF_INET6, 'ipv6', '::1')):
    l = listener(address, family); sizes = [random.choice([0, 1, 1000, 70000, 300000]) for _ in range(40)]
    t = threading.Thread(target=serve, args=(l, 40, sizes)); t.start()
    for i in range(40):
        s = socket.create_connection((address, l.getsockname()[1])); request = random.choice([0, 1, 5000, 200000])
        s.sendall(b'q' * request); s.shutdown(socket.SHUT_WR); assert read_all(s) == sizes[i]
        out.append(dict(family=name, address=address, client=s.getsockname()[1], server=l.getsockname()[1], request=request, response=sizes[i]))
        s.close()
    t.join(); l.close()
    for i in range(10):
        s = socket.socket(family); s.bind((address, 0))
        closed = socket.socket(family); closed.bind((address, 0)); port = closed.getsockname()[1]
        try: s.connect((address, port))
        except ConnectionRefusedError: refused.append(dict(family=name, address=address, client=s.getsockname()[1], server=port))
        s.close(); closed.close()
say(dict(out=out, refused=refused))
`;

let recorder: Recorder;
let connections: readonly Connection[];
let refused: readonly Connection[];
let pid: number;
let ofChild: (record: RingRecord) => boolean;

before(async () => {
  recorder = await startRecorder();
  const peer = python(SCRIPT);
  pid = peer.pid;
  ({ out: connections, refused } = await peer.line<{ out: Connection[]; refused: Connection[] }>());
  await peer.ended();
  ofChild = (record) => record.pid === pid;
  await recorder.until(
    80 * 2 + 20,
    (record) => ofChild(record) && (record.kind === 'close' || record.kind === 'fail'),
  );
});
after(() => recorder.close());

const find = (connection: Connection, kind: string, role: string): RingRecord[] =>
  recorder.records.filter(
    (record) =>
      record.kind === kind &&
      record.role === role &&
      record.local_port === (role === 'client' ? connection.client : connection.server) &&
      record.peer_port === (role === 'client' ? connection.server : connection.client),
  );

const only = (records: readonly RingRecord[]): RingRecord => {
  assert.equal(records.length, 1, JSON.stringify(records));
  return records[0] ?? {};
};

test('each side of a connection opens once and closes once, with its addresses, owner and exact bytes', () => {
  for (const connection of connections) {
    for (const role of ['client', 'server']) {
      const open = only(find(connection, 'open', role));
      const close = only(find(connection, 'close', role));
      const sent = role === 'client' ? connection.request : connection.response;
      const received = role === 'client' ? connection.response : connection.request;
      assert.partialDeepStrictEqual(close, {
        family: connection.family,
        local_address: connection.address,
        peer_address: connection.address,
        bytes_sent: sent,
        bytes_delivered: sent,
        bytes_received: received,
        bytes_unsent: 0,
        bytes_unread: 0,
        local_drop_bytes: 0,
        errno: 0,
        errno_known: 1,
        late: 0,
        pid,
        counters_since: 'birth',
        socket_cookie: open.socket_cookie ?? 0,
        generation: role === 'client' ? 1 : 0,
        verdict: role === 'client' ? 'closed_local' : 'closed_peer',
        established_ts: open.established_ts ?? 0,
      });
      assert.ok(Number(close.rtt_us) > 0);
      assert.ok(Number(close.ts) > Number(open.ts));
      assert.notEqual(close.congestion_control, '');
    }
  }
});

test('a client is owned by the process that connected, a server by the first that read or wrote', () => {
  for (const connection of connections) {
    assert.equal(only(find(connection, 'close', 'client')).owner_source, 'connect');
    const server = only(find(connection, 'close', 'server')).owner_source;
    if (connection.request + connection.response > 0) assert.equal(server, 'first_io');
    else assert.equal(server, 'close');
  }
});

test('a refused connect fails once with ECONNREFUSED and no bytes', () => {
  assert.equal(refused.length, 20);
  for (const connection of refused) {
    assert.partialDeepStrictEqual(only(find(connection, 'fail', 'client')), {
      family: connection.family,
      peer_address: connection.address,
      errno: 111,
      errno_known: 1,
      verdict: 'refused',
      state: 'syn_sent',
      bytes_sent: 0,
      established_ts: 0,
      pid,
    });
    assert.equal(find(connection, 'close', 'client').length, 0);
  }
});

test('a number is given once on each CPU, and all are in the rings or counted as failed', async () => {
  const { seq, failed } = await recorder.drain();
  const numbers = new Set(recorder.records.map(({ cpu, seq }) => `${cpu}:${seq}`));
  assert.equal(numbers.size, recorder.records.length);
  assert.equal(seq, recorder.records.length + failed);
});
