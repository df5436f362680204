import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createNetwork, type Network } from './support/network.ts';
import { python } from './support/python.ts';
import type { RingRecord } from './support/record.ts';
import { type Recorder, startRecorder } from './support/recorder.ts';

let network: Network;
let recorder: Recorder;
before(async () => {
  network = createNetwork();
  recorder = await startRecorder();
});
after(() => {
  recorder.close();
  network.remove();
});

/** Attempts of one socket `s` from a namespace that has a route to its neighbour alone; then `script`. */
const attempts = (script: string) =>
  python(
    `
l = listener('10.9.0.1')
s = socket.socket()
def no_route(address):
    try: s.connect(address)
    except OSError as e: assert e.errno == 101, e
${script}
`,
    { namespace: network.here },
  );

const isOfClient =
  (pid: number) =>
  ({ kind, role, pid: owner }: RingRecord): boolean =>
    (kind === 'fail' || kind === 'close') && role === 'client' && owner === pid;

const NO_ROUTE = { kind: 'fail', errno_known: 0, owner_source: 'connect', peer_port: 9, state: 'closed' };

test('connects without a route and the one that follows are connections of their own, numbered in their order', async () => {
  const { pid, ended } = attempts(`
no_route(('203.0.113.1', 9)); no_route(('203.0.113.2', 9))
s.connect(l.getsockname()); c, _ = l.accept(); s.close(); c.close()`);
  await ended();
  const rows = await recorder.until(3, isOfClient(pid));
  assert.equal(rows.length, 3);
  const [first, second, good] = rows;
  assert.partialDeepStrictEqual(first, { ...NO_ROUTE, generation: 1, peer_address: '203.0.113.1' });
  assert.partialDeepStrictEqual(second, { ...NO_ROUTE, generation: 2, peer_address: '203.0.113.2' });
  assert.partialDeepStrictEqual(good, { kind: 'close', generation: 3, peer_address: '10.9.0.1' });
  assert.equal(new Set(rows.map(({ socket_cookie }) => socket_cookie)).size, 1);
});

test('the last connect without a route is told when its socket is destroyed', async () => {
  const { pid, ended } = attempts("no_route(('203.0.113.1', 9)); s.close()");
  await ended();
  const rows = await recorder.until(1, isOfClient(pid));
  assert.equal(rows.length, 1);
  assert.partialDeepStrictEqual(rows[0], { ...NO_ROUTE, generation: 1, late: 0 });
});

test('a connect without a route is told when its socket begins to listen', async () => {
  const peer = attempts("no_route(('203.0.113.1', 9)); s.listen(); say(0); hear()");
  try {
    await peer.line();
    const [fail] = await recorder.until(1, isOfClient(peer.pid));
    assert.partialDeepStrictEqual(fail, { ...NO_ROUTE, generation: 1 });
  } finally {
    peer.kill();
  }
});
