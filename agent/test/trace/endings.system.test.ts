import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { python } from './support/python.ts';
import type { RingRecord } from './support/record.ts';
import { type Recorder, startRecorder } from './support/recorder.ts';

let recorder: Recorder;
before(async () => {
  recorder = await startRecorder();
});
after(() => recorder.close());

/** The script says the port of its listener; both closes on it come back. */
async function closesOf(script: string): Promise<Record<'client' | 'server', RingRecord>> {
  const peer = python(
    `l = listener()\ns = socket.create_connection(l.getsockname())\nport = l.getsockname()[1]\n${script}\nsay(port)`,
  );
  const port = await peer.line<number>();
  await peer.ended();
  const closes = await recorder.until(
    2,
    ({ kind, local_port, peer_port }) => kind === 'close' && (local_port === port || peer_port === port),
  );
  assert.equal(closes.length, 2);
  const [a = {}, b = {}] = closes;
  return a.role === 'client' ? { client: a, server: b } : { client: b, server: a };
}

test('the side that closes first is named at both ends', async () => {
  const { client, server } = await closesOf('c, _ = l.accept(); c.close(); read_all(s); s.close()');
  assert.equal(server.verdict, 'closed_local');
  assert.equal(client.verdict, 'closed_peer');
});

test('linger 0 is a reset sent, and a reset received at the other end', async () => {
  const { client, server } = await closesOf(
    'c, _ = l.accept(); linger0(s); s.close(); select.select([c], [], [], 5); c.close()',
  );
  assert.partialDeepStrictEqual(client, { verdict: 'reset_sent', reset_direction: 'sent', errno: 0 });
  assert.partialDeepStrictEqual(server, {
    verdict: 'reset_received',
    reset_direction: 'received',
    errno: 104,
  });
});

test('a close with unread data is a reset sent, and says how much was left', async () => {
  const { client, server } = await closesOf(
    "c, _ = l.accept(); s.sendall(b'x' * 300); select.select([c], [], [], 5); c.recv(100); c.close(); select.select([s], [], [], 5); s.close()",
  );
  assert.partialDeepStrictEqual(server, { verdict: 'reset_sent', bytes_received: 300, bytes_unread: 200 });
  assert.partialDeepStrictEqual(client, { verdict: 'reset_received', bytes_sent: 300, bytes_delivered: 300 });
});

test('a connection that was never accepted says so', async () => {
  const { client, server } = await closesOf('l.close(); select.select([s], [], [], 5); s.close()');
  assert.partialDeepStrictEqual(server, { verdict: 'unaccepted', reset_direction: 'sent' });
  assert.equal(client.verdict, 'reset_received');
});

test('connect(AF_UNSPEC) disconnects, and the next connection of the socket is another generation', async () => {
  const peer = python(`
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
l = listener(); port = l.getsockname()[1]
s = socket.create_connection(l.getsockname()); a, _ = l.accept()
assert libc.connect(s.fileno(), b'\\0' * 16, 16) == 0
s.connect(l.getsockname()); b, _ = l.accept()
s.close(); b.close(); a.close()
say(port)
`);
  const port = await peer.line<number>();
  await peer.ended();
  const closes = await recorder.until(
    2,
    ({ kind, role, peer_port }) => kind === 'close' && role === 'client' && peer_port === port,
  );
  assert.deepEqual(
    closes.map(({ generation, verdict }) => [generation, verdict]),
    [
      [1, 'disconnected'],
      [2, 'closed_local'],
    ],
  );
  assert.equal(closes[0]?.socket_cookie, closes[1]?.socket_cookie);
  const opens = recorder.records.filter(
    ({ kind, role, peer_port }) => kind === 'open' && role === 'client' && peer_port === port,
  );
  assert.deepEqual(
    opens.map(({ generation }) => generation),
    [1, 2],
  );
});

test('a refused connect tried again on the same socket is another generation', async () => {
  const peer = python(`
closed = socket.socket(); closed.bind(('127.0.0.1', 0)); port = closed.getsockname()[1]
s = socket.socket()
for i in range(3):
    try: s.connect(('127.0.0.1', port))
    except ConnectionRefusedError: pass
say(port)
`);
  const port = await peer.line<number>();
  await peer.ended();
  const fails = await recorder.until(3, ({ kind, peer_port }) => kind === 'fail' && peer_port === port);
  assert.deepEqual(
    fails.map(({ generation, errno }) => [generation, errno]),
    [
      [1, 111],
      [2, 111],
      [3, 111],
    ],
  );
  assert.equal(new Set(fails.map(({ socket_cookie }) => socket_cookie)).size, 1);
});

test('a half-closed connection that both sides read to the end has exact bytes at both ends', async () => {
  const { client, server } = await closesOf(
    "c, _ = l.accept(); s.sendall(b'x' * 1000); s.shutdown(socket.SHUT_WR); read_all(c); c.sendall(b'y' * 50000); c.close(); read_all(s); s.close()",
  );
  assert.partialDeepStrictEqual(client, {
    bytes_sent: 1000,
    bytes_delivered: 1000,
    bytes_received: 50000,
    bytes_unread: 0,
    bytes_unsent: 0,
  });
  assert.partialDeepStrictEqual(server, {
    bytes_sent: 50000,
    bytes_delivered: 50000,
    bytes_received: 1000,
    bytes_unread: 0,
    bytes_unsent: 0,
  });
});
