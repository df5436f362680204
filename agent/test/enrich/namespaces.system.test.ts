import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import type { NamespaceCount } from '@tcptrail/schemas/batch.ts';
import { createNamespaces } from '../../src/enrich/namespaces.ts';
import { agentHome, runningAgent, spooled, until } from '../support/agent-process.ts';
import { needsRoot } from '../support/needs-root.ts';
import { python } from '../trace/support/python.ts';

/** A namespace that dies with the process; its listener has room for one and is offered five. */
const OVERFLOW = `
import ctypes
assert ctypes.CDLL(None, use_errno=True).unshare(0x40000000) == 0
os.system('ip link set lo up')
l = listener(backlog=0)
cs = []
for i in range(5):
    c = socket.socket(); c.setblocking(False); cs.append(c)
    c.connect_ex(l.getsockname())
def counter(name):
    names, values = [line.split() for line in open('/proc/self/net/netstat') if line.startswith('TcpExt')]
    return int(values[names.index(name)])
while counter('ListenOverflows') == 0: time.sleep(0.01)
say(counter('ListenOverflows')); cs[0].close(); hear()
`;

test('a real namespace is read from outside it, and gone with its last process', needsRoot, async (t) => {
  const peer = python(OVERFLOW);
  t.after(peer.kill);
  const overflows = await peer.line<number>();
  const inode = Number(/\d+/.exec(readlinkSync(`/proc/${peer.pid}/ns/net`))?.[0]);
  const namespaces = createNamespaces();
  const there = () => namespaces.counts().filter((count) => count.network_namespace === inode);
  assert.deepEqual(there(), [], 'nobody told of it yet');
  namespaces.note({ pid: peer.pid, process_network_namespace: inode });
  const [counted] = there().filter(({ counter }) => counter === 'ListenOverflows');
  assert.ok((counted?.value ?? 0) >= overflows, `${counted?.value} of ${overflows}`);
  peer.tell('end');
  await peer.ended();
  assert.deepEqual(there(), []);
});

test('heartbeats carry the counters of the namespaces that owners live in', needsRoot, async (t) => {
  const home = agentHome(t);
  await runningAgent(t, home);
  const peer = python(OVERFLOW);
  t.after(peer.kill);
  await peer.line<number>();
  const inode = Number(/\d+/.exec(readlinkSync(`/proc/${peer.pid}/ns/net`))?.[0]);
  const counts = (): NamespaceCount[] =>
    spooled(home).flatMap(({ health, namespaces }) => (health ? (namespaces as NamespaceCount[]) : []));
  await until('the counters of the namespace', () =>
    counts().some(
      ({ network_namespace, counter, value }) =>
        network_namespace === inode && counter === 'ListenOverflows' && value > 0,
    ),
  );
});
