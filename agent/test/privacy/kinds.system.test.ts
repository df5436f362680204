/** Each kind of record, of a user and between two addresses that are hidden. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { EVENT_KINDS } from '@tcptrail/schemas/enums.ts';
import { agentHome, runningAgent, spooled, until } from '../support/agent-process.ts';
import { bytesOfSpool, zigzag } from '../support/hidden.ts';
import { needsRoot } from '../support/needs-root.ts';
import { createNetwork, type Network } from '../trace/support/network.ts';
import { type Peer, python } from '../trace/support/python.ts';

/** Nobody's, and five bytes as a number of Avro. */
const UID = 1_234_567_891;
/** TEST-NET-3. */
const NEAR = '203.0.113.1';
const FAR = '203.0.113.2';
const HASHED = 2 ** 31;
/** What it imports later may lie where only root looks. */
const AS_USER = `import encodings.idna; os.setgid(${UID}); os.setuid(${UID})\n`;

/** Sends back what it gets; its queue changes with a word, with the next the listener goes. */
const SERVER = `
l = listener('${FAR}'); say(l.getsockname()[1])
def serve():
    while True:
        c, _ = l.accept(); threading.Thread(target=echo, args=(c,), daemon=True).start()
def echo(c):
    try:
        while b := c.recv(65536): c.sendall(b)
    except OSError: pass
    c.close()
threading.Thread(target=serve, daemon=True).start()
hear(); l.listen(64)
hear()
`;
const CLIENT = `
at = ('${FAR}', int(sys.argv[1]))
def ask(s): s.sendall(b'x' * 100); s.recv(100)
`;
const SHORT = 'for _ in range(5): s = socket.create_connection(at); ask(s); s.close()';
const REFUSED = `
try: socket.create_connection(('${FAR}', 1))
except ConnectionRefusedError: pass`;
const RESETS = 's = socket.create_connection(at); ask(s); linger0(s); s.close()';
const HELD = `
s = socket.create_connection(at); ask(s); say('open')
hear(); ask(s)
hear(); s.sendall(b'x')
hear(); s.close()`;
const SYN = 's = socket.socket(); s.setblocking(False); s.connect_ex(at)';

interface Row {
  readonly kind: string;
  readonly uid: number;
  readonly addresses: readonly string[];
}

/** An agent that hides both, a network of external addresses, and the rows of the user's programs. */
async function setUp(t: TestContext) {
  const network = createNetwork();
  t.after(() => network.remove());
  for (const [namespace, address] of [
    [network.here, NEAR],
    [network.there, FAR],
  ] as const)
    execFileSync('ip', ['-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'v0']);
  network.sysctl(network.there, 'net.ipv4.tcp_synack_retries', '1');
  const home = agentHome(t, {
    further: {
      privacy: { uid: 'hash', peers: 'hash', key: 'a key that only this test has' },
      events: { scanMs: 200, updateMs: 200 },
      batch: { heartbeatMs: 1_000, flushMs: 100 },
      fold: { enabled: true, windowMs: 1_000 },
    },
  });
  const agent = await runningAgent(t, home);
  const programs: Peer[] = [];
  t.after(() => {
    for (const program of programs) program.kill();
  });
  return {
    network,
    home,
    agent,
    run(script: string, options: { readonly namespace: string; readonly args?: readonly string[] }): Peer {
      const program = python(AS_USER + script, options);
      programs.push(program);
      return program;
    },
    rows(): readonly Row[] {
      const pids = new Set(programs.map(({ pid }) => pid));
      return spooled(home).flatMap(({ owners, events }) =>
        events.flatMap((event) => {
          const owner = owners[Number(event['owner'])] ?? {};
          if (!pids.has(Number(owner['pid']))) return [];
          const addresses = ['local_address', 'peer_address'].map((name) =>
            Buffer.from(event[name] as Uint8Array).toString('hex'),
          );
          return [{ kind: String(event['kind']), uid: Number(owner['uid']), addresses }];
        }),
      );
    },
  };
}

/** One SYN comes through, and nothing of what answers it. */
async function halfOpen(network: Network, syn: () => Peer): Promise<void> {
  network.rules(network.here, 'input', ['meta l4proto tcp drop']);
  network.rules(network.there, 'input', ['tcp flags & syn == syn quota over 60 bytes drop']);
  await syn().ended();
}

test('no kind of record leaves the user or an external address in the spool', needsRoot, async (t) => {
  const { network, home, agent, run, rows } = await setUp(t);
  const told = (kind: string, times = 1) =>
    until(`${times} ${kind}`, () => rows().filter((row) => row.kind === kind).length >= times);
  const server = run(SERVER, { namespace: network.there });
  const args = [String(await server.line<number>())];
  const client = (script: string): Peer => run(CLIENT + script, { namespace: network.here, args });
  for (const script of [SHORT, REFUSED, RESETS]) await client(script).ended();

  const held = client(HELD);
  await held.line();
  await told('open');
  held.tell('more');
  await told('update');
  network.rules(network.there, 'input', ['meta l4proto tcp drop']);
  held.tell('into the void');
  await told('retransmit');
  network.rules(network.there, 'input', []);
  held.tell('end');
  await held.ended();
  server.tell('shorter');
  for (const kind of ['listener', 'summary', 'fail', 'reset', 'close']) await told(kind);

  // The one call that tells of it may reach no program (docs/decisions/0012): what is never told fails at the third.
  for (let tries = 0; tries < 3; tries++) {
    await halfOpen(network, () => client(SYN));
    const isTold = await told('half_open').then(
      () => true,
      (error) => assert.ok(tries < 2, error),
    );
    if (isTold) break;
  }
  server.tell('end');
  await told('unlisten');
  agent.child.kill('SIGINT');
  await agent.ended();

  const ours = rows();
  assert.deepEqual(
    EVENT_KINDS.filter((kind) => kind !== 'unknown' && !ours.some((row) => row.kind === kind)),
    [],
  );
  for (const { kind, uid, addresses } of ours) {
    assert.ok(uid >= HASHED, `${kind} of ${uid}`);
    // 100::/64, or no peer.
    for (const address of addresses)
      assert.match(address, /^(0100000000000000[0-9a-f]{16}|0{20}(0000|ffff)0{8})$/, kind);
  }
  const { batches, files } = bytesOfSpool(home.spoolPath);
  const secrets = [NEAR, FAR].flatMap((text) => [
    Buffer.from(text.split('.').map(Number)),
    Buffer.from(text),
  ]);
  for (const bytes of [...batches, ...files])
    for (const secret of [...secrets, zigzag(UID), Buffer.from(String(UID))])
      assert.equal(bytes.indexOf(secret), -1, secret.toString('latin1'));
  // The search finds what is there.
  assert.ok(batches.some((bytes) => bytes.includes(zigzag(server.pid))));
});
