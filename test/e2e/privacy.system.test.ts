import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cgroup2Root } from '@tcptrail/agent/trace/mounts.ts';
import { bytesOfSpool, zigzag } from '../../agent/test/support/hidden.ts';
import { createStack, type Stack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

/** Of documentation: TEST-NET-3 and RFC 3849. */
const PEERS = ['203.0.113.9', '2001:db8:9::9'] as const;
const PEER_BYTES = [Buffer.from([203, 0, 113, 9]), Buffer.from('20010db8000900000000000000000009', 'hex')];
/** Nobody's, and five bytes as a number of Avro. */
const UID = 1_234_567_891;
const NAME = 'alice-of-the-test';
const CONNECTIONS = 3;
const namespace = `tt${process.pid}p`;

/** Connections to both peers and over loopback, of a program in that user's home and slice. */
const SCRIPT = `
import os, socket
os.setgid(${UID}); os.setuid(${UID})
for family, address in ((socket.AF_INET, '${PEERS[0]}'), (socket.AF_INET6, '${PEERS[1]}'), (socket.AF_INET, '127.0.0.1')):
    l = socket.socket(family); l.bind((address, 0)); l.listen()
    for _ in range(${CONNECTIONS}):
        c = socket.socket(family); c.connect(l.getsockname()); s, _ = l.accept()
        c.send(b'x' * 100); s.recv(100); c.close(); s.close()
    l.close()
print(os.getpid())
`;

let stack: Stack;
let pid = 0;
let cgroup = '';

const ip = (...args: readonly string[]): void => void execFileSync('ip', args);

before(async () => {
  ip('netns', 'add', namespace);
  ip('-n', namespace, 'link', 'set', 'lo', 'up');
  ip('-n', namespace, 'addr', 'add', `${PEERS[0]}/32`, 'dev', 'lo');
  ip('-n', namespace, 'addr', 'add', `${PEERS[1]}/128`, 'dev', 'lo', 'nodad');
  cgroup = join(cgroup2Root(readFileSync('/proc/self/mountinfo', 'utf8')) ?? '', `user-${UID}.slice`);
  // One that was cut off may have left it.
  mkdirSync(cgroup, { recursive: true });
  const privacy = { uid: 'hash', peers: 'hash', key: 'a key that only this test has' };
  stack = await createStack({ agent: { privacy, batch: { heartbeatMs: 500, flushMs: 100 } } });
  await stack.startServer();
  stack.startConsumer();
  await stack.startAgent();
  const home = join(stack.folder, 'home', NAME);
  mkdirSync(home, { recursive: true });
  for (const folder of [stack.folder, join(stack.folder, 'home'), home]) chmodSync(folder, 0o755);
  const python = join(home, 'python');
  copyFileSync(
    execFileSync('/usr/bin/python3', ['-c', 'import os, sys; print(os.path.realpath(sys.executable))'], {
      encoding: 'utf8',
    }).trim(),
    python,
  );
  // Into the slice before the namespace hides it.
  const enter = 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"';
  const command = ['ip', 'netns', 'exec', namespace, python, '-c', SCRIPT];
  const child = spawn('sh', ['-c', enter, 'sh', cgroup, ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let said = '';
  for await (const text of child.stdout) said += String(text);
  assert.deepEqual(await ended, [0, null]);
  pid = Number(said);
  await until('the connections to be stored', async () => {
    const [found] = await stack
      .rows<{ n: string }>(`SELECT count() AS n FROM connections WHERE pid = ${pid} AND state = 'closed'`)
      .catch(() => []);
    return Number(found?.n) >= 3 * 2 * CONNECTIONS;
  });
  await stack.agent.end();
  await until('everything spooled to be stored', () => stack.caughtUp());
});
after(async () => {
  await stack?.stop();
  ip('netns', 'del', namespace);
  if (existsSync(cgroup)) rmdirSync(cgroup);
});

test('peers are told apart and counted by their hashes, and internal ones stay', async () => {
  const rows = await stack.rows<{ peer: string; n: string; ports: string }>(
    `SELECT toString(peer_address) AS peer, count() AS n, uniqExact(peer_port) AS ports FROM connections WHERE pid = ${pid} AND role = 'client' GROUP BY peer ORDER BY peer`,
  );
  assert.deepEqual(
    rows.map(({ n, ports }) => [Number(n), Number(ports)]),
    [1, 2, 3].map(() => [CONNECTIONS, 1]),
  );
  const peers = rows.map(({ peer }) => peer);
  assert.equal(peers.filter((peer) => /^100::/.test(peer)).length, 2);
  assert.ok(peers.includes('::ffff:127.0.0.1'));
});

test('the user is one number from 2^31 on, in rows and in paths; the program is still told', async () => {
  const rows = await stack.rows<{
    uid: number;
    socket_uid: number;
    executable: string;
    cgroup_path: string;
    systemd_unit: string;
  }>(
    `SELECT DISTINCT uid, socket_uid, executable, cgroup_path, systemd_unit FROM tcp_events WHERE pid = ${pid} AND kind = 'close' AND role = 'client'`,
  );
  assert.equal(rows.length, 1);
  const [row] = rows;
  assert.ok(Number(row?.uid) >= 2 ** 31);
  assert.equal(row?.socket_uid, row?.uid);
  assert.equal(row?.cgroup_path, `/user-${row?.uid}.slice`);
  assert.equal(row?.systemd_unit, `user-${row?.uid}.slice`);
  assert.match(row?.executable ?? '', /\/home\/[0-9a-f]{8}\/python$/);
});

test('neither peer nor user is anywhere in the bytes of the spool', () => {
  const { batches, files } = bytesOfSpool(stack.spool);
  const hidden = [
    ...PEER_BYTES,
    ...PEERS.map((text) => Buffer.from(text)),
    zigzag(UID),
    Buffer.from(String(UID)),
    Buffer.from(NAME),
  ];
  for (const bytes of [...batches, ...files])
    for (const text of hidden) assert.equal(bytes.indexOf(text), -1, text.toString('latin1'));
  // The search finds what is there.
  assert.ok(batches.some((bytes) => bytes.includes(Buffer.from([0xff, 0xff, 127, 0, 0, 1]))));
  assert.ok(batches.some((bytes) => bytes.includes(zigzag(pid))));
});
