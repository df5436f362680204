/** Every way a connect fails. */
import { atLeast, number, oneOf, sameAs } from '../check.ts';
import {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  ECONNREFUSED,
  EHOSTUNREACH,
  EINPROGRESS,
  ENETUNREACH,
  ETIMEDOUT,
  SO_REUSEADDR,
  TCP_SYNCNT,
  TCP_USER_TIMEOUT,
} from '../linux.ts';
import { closeInTurn, drop, exchange, killed, ofGone, pass } from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Socket } from '../socket.ts';
import type { Truth } from '../truth.ts';

/** A port that nobody listens on: the first below those that are given out. */
const CLOSED = 1_001;
const CLOSED_TOO = 1_002;

/** Connects and sees that it fails as it must. The socket forgets its address then: it is told here. */
async function fails(
  socket: Socket,
  peer: { address: string; port: number },
  wanted: number,
  local?: string,
) {
  const { errno } = await socket.connect(peer);
  if (errno !== wanted) throw new Error(`connect: errno ${errno}, not ${wanted}`);
  socket.life.local = { address: local ?? peer.address, port: socket.life.local.port };
}

async function refused(t: Truth, address: string, family: 'ipv4' | 'ipv6' = 'ipv4'): Promise<void> {
  const network = await t.network();
  const client = await (await network.actor()).socket(address.includes(':') ? 'ipv6' : 'ipv4');
  await fails(client, { address, port: CLOSED }, ECONNREFUSED);
  expectRefused(t, client);
  t.strayReset(network, client.life.peer, client.life.local, { family });
}

function expectRefused(t: Truth, client: Socket): void {
  t.failed(client, 'refused', {
    isAtCall: true,
    fields: { state: 'syn_sent', errno: ECONNREFUSED, reset_direction: 'received' },
  });
  t.reset(client, 'received', { isAtCall: true });
}

export const CONNECT: readonly Scenario[] = [
  scenario('refused_ipv4', 'nobody listens', async (t) => await refused(t, '127.0.0.1')),
  scenario('refused_ipv6', 'nobody listens, IPv6', ['ipv6'], async (t) => await refused(t, '::1', 'ipv6')),
  scenario('refused_v4_mapped', 'nobody listens, an IPv6 socket over IPv4', ['ipv6'], async (t) => {
    await refused(t, '::ffff:127.0.0.1');
  }),

  scenario('refused_then_again', 'one socket is refused twice, then connects', async (t) => {
    const network = await t.network();
    const actor = await network.actor();
    const listener = await t.listen(await network.actor(), '127.0.0.1');
    const client = await actor.socket();
    for (const port of [CLOSED, CLOSED_TOO]) {
      await fails(client, { address: '127.0.0.1', port }, ECONNREFUSED);
      expectRefused(t, client);
      t.strayReset(network, client.life.peer, client.life.local);
    }
    await client.connect({ address: '127.0.0.1', port: listener.listening?.local.port ?? 0 });
    const pair = { client, listener, server: await t.accept(listener, client) };
    await exchange(pair);
    await closeInTurn(t, pair);
  }),

  scenario('disconnect_reconnect', 'connect(AF_UNSPEC), then the same socket connects again', async (t) => {
    const network = await t.network();
    const { client, server, listener } = await t.pair(await network.actor(), await network.actor());
    await exchange({ client, server, listener });
    await client.disconnect();
    await server.receive(1);
    await server.close();
    t.closed(client, 'disconnected', {
      isAtCall: true,
      fields: { state: 'established', reset_direction: 'sent' },
    });
    t.reset(client, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
    t.closed(server, 'reset_received', {
      cause: client,
      fields: { state: 'established', errno: 104, reset_direction: 'received' },
    });
    t.reset(server, 'received', { cause: client });
    await client.connect(server.life.local);
    const again = { client, listener, server: await t.accept(listener, client) };
    await client.send(11);
    await again.server.receive(11);
    await closeInTurn(t, again);
  }),

  scenario('syn_dropped', 'no answer to any SYN', ['nftables'], async (t) => {
    const [near, far] = await t.link();
    await drop(far, 'input', 'drop');
    const client = await (await near.actor()).socket();
    await client.set(TCP_SYNCNT, 1);
    await fails(client, { address: far.ipv4, port: CLOSED }, ETIMEDOUT, near.ipv4);
    t.failed(client, 'timed_out', {
      isAtCall: true,
      fields: {
        state: 'syn_sent',
        errno: ETIMEDOUT,
        retrans_syn: atLeast(1),
        segs_out: sameAs('retrans_syn + 1', (row) => number(row, 'retrans_syn') + 1),
      },
    });
  }),

  scenario('syn_user_timeout', 'TCP_USER_TIMEOUT ends a connect', ['nftables'], async (t) => {
    const [near, far] = await t.link();
    await drop(far, 'input', 'drop');
    const client = await (await near.actor()).socket();
    await client.set(TCP_USER_TIMEOUT, 1_200);
    await fails(client, { address: far.ipv4, port: CLOSED }, ETIMEDOUT, near.ipv4);
    t.failed(client, 'timed_out', { isAtCall: true, fields: { state: 'syn_sent', errno: ETIMEDOUT } });
  }),

  scenario('syn_lost_once', 'the first SYN is lost, the second arrives', ['nftables'], async (t) => {
    const [near, far] = await t.link();
    const listener = await t.listen(await far.actor(), far.ipv4);
    await drop(far, 'input', 'drop');
    const client = await (await near.actor()).socket();
    const connecting = client.connect({ address: far.ipv4, port: listener.listening?.local.port ?? 0 });
    await t.counted(near, 'TCPSynRetrans', 1);
    await pass(far);
    await connecting;
    const pair = { client, listener, server: await t.accept(listener, client) };
    await exchange(pair);
    await client.close();
    await pair.server.receive(1);
    await pair.server.close();
    t.closed(client, 'closed_local', { fields: { retrans_syn: atLeast(1) } });
    t.closed(pair.server, 'closed_peer');
  }),

  scenario('unreachable_icmp', 'a router says that the host is unreachable', ['nftables'], async (t) => {
    const [near, far] = await t.link();
    await drop(far, 'input', 'reject with icmp type host-unreachable');
    const client = await (await near.actor()).socket();
    await fails(client, { address: far.ipv4, port: CLOSED }, EHOSTUNREACH, near.ipv4);
    t.failed(client, 'unreachable', { isAtCall: true, fields: { state: 'syn_sent', errno: EHOSTUNREACH } });
  }),

  scenario('rejected_with_reset', 'a firewall answers the SYN with a reset', ['nftables'], async (t) => {
    const [near, far] = await t.link();
    await drop(far, 'input', 'reject with tcp reset');
    const client = await (await near.actor()).socket();
    await fails(client, { address: far.ipv4, port: CLOSED }, ECONNREFUSED, near.ipv4);
    expectRefused(t, client);
  }),

  scenario('no_route', 'no route to the peer, then the same socket finds one', async (t) => {
    const network = await t.network();
    const actor = await network.actor();
    const client = await actor.socket();
    await fails(client, { address: '203.0.113.9', port: CLOSED }, ENETUNREACH, '0.0.0.0');
    expectUnseen(t, client);
    await fails(client, { address: '127.0.0.1', port: CLOSED_TOO }, ECONNREFUSED);
    const key = { socket_cookie: client.cookie, peer_port: CLOSED_TOO };
    const generation = oneOf(1, 2);
    t.failed(client, 'refused', {
      key,
      isAtCall: true,
      fields: { state: 'syn_sent', errno: ECONNREFUSED, generation },
    });
    t.reset(client, 'received', { key, isAtCall: true, fields: { generation } });
    t.strayReset(network, client.life.peer, client.life.local);
  }),

  scenario('no_route_ipv6', 'no route to the peer, IPv6', ['ipv6'], async (t) => {
    const network = await t.network();
    const client = await (await network.actor()).socket('ipv6');
    await fails(client, { address: '2001:db8::9', port: CLOSED }, ENETUNREACH, '::');
    expectUnseen(t, client);
    await client.close();
  }),

  scenario('denied_by_route', 'the route is prohibited', async (t) => {
    const network = await t.network();
    await network.steward.must('route prohibit 198.51.100.0 24');
    const client = await (await network.actor()).socket();
    await fails(client, { address: '198.51.100.9', port: CLOSED }, EACCES, '0.0.0.0');
    expectUnseen(t, client);
    await client.close();
  }),

  scenario('no_port_free', 'the only port of the range is taken', async (t) => {
    const network = await t.network();
    await network.sysctl('net.ipv4.ip_local_port_range', '50000 50000');
    const actor = await network.actor();
    const pair = await t.pair(actor, await network.actor(), { port: 2_000 });
    const client = await actor.socket();
    await fails(client, pair.client.life.peer, EADDRNOTAVAIL);
    t.failed(client, 'addr_not_avail', { isAtCall: true, fields: { ...NO_PORT, local_port: 0 } });
    await closeInTurn(t, pair);
  }),

  scenario('four_tuple_taken', 'a second connection between the same two ports', async (t) => {
    const network = await t.network();
    const actor = await network.actor();
    const pair = await t.pair(actor, await network.actor(), {
      before: async (client) => {
        await client.set(SO_REUSEADDR, 1);
        await client.bind('127.0.0.1', 3_000);
      },
    });
    const client = await actor.socket();
    await client.set(SO_REUSEADDR, 1);
    await client.bind('127.0.0.1', 3_000);
    await fails(client, pair.client.life.peer, EADDRNOTAVAIL);
    t.failed(client, 'addr_not_avail', {
      isAtCall: true,
      fields: { ...NO_PORT, local_port: oneOf(0, 3_000) },
    });
    await closeInTurn(t, pair);
  }),

  scenario('bind_conflict', 'bind to a port that is listened on: no connection, no row', async (t) => {
    const network = await t.network();
    const listener = await t.listen(await network.actor(), '127.0.0.1');
    const second = await (await network.actor()).socket();
    const { errno } = await second.bind('127.0.0.1', listener.listening?.local.port);
    if (errno !== EADDRINUSE) throw new Error(`bind: errno ${errno}`);
    await second.close();
  }),

  scenario('cancelled', 'a non-blocking connect is closed before any answer', ['nftables'], async (t) => {
    const [near, far] = await t.link();
    await drop(far, 'input', 'drop');
    const actor = await near.actor();
    const client = await actor.socket();
    await client.nonblocking();
    await fails(client, { address: far.ipv4, port: CLOSED }, EINPROGRESS, near.ipv4);
    await client.close();
    t.failed(client, 'cancelled', { isAtCall: true, fields: { state: 'syn_sent', errno: 0 } });
  }),

  scenario('killed_in_connect', 'a process is killed while it connects', ['nftables'], async (t) => {
    const [near, far] = await t.link();
    await drop(far, 'input', 'drop');
    const actor = await near.actor();
    const client = await actor.socket();
    await client.nonblocking();
    await fails(client, { address: far.ipv4, port: CLOSED }, EINPROGRESS, near.ipv4);
    await killed(actor, client);
    t.failed(client, 'cancelled', {
      isAtCall: true,
      fields: { state: 'syn_sent', errno: 0 },
      about: ofGone(actor.process),
    });
  }),

  scenario('non_blocking', 'a non-blocking connect that succeeds', async (t) => {
    const network = await t.network();
    const actor = await network.actor();
    const listener = await t.listen(await network.actor(), '127.0.0.1');
    const client = await actor.socket();
    await client.nonblocking();
    const peer = { address: '127.0.0.1', port: listener.listening?.local.port ?? 0 };
    await fails(client, peer, EINPROGRESS);
    const { after } = await actor.ask(`wait ${client.fd} out 5000`);
    client.life.established = { before: client.life.start.before, after };
    const pair = { client, listener, server: await t.accept(listener, client) };
    await client.send(3_000);
    await pair.server.receive(3_000);
    await closeInTurn(t, pair);
  }),

  scenario('self_connect', 'a socket connects to itself', async (t) => {
    const network = await t.network();
    const client = await (await network.actor()).socket();
    await client.bind('127.0.0.1', 4_000);
    const { errno } = await client.connect({ address: '127.0.0.1', port: 4_000 });
    if (errno !== 0) throw new Error(`connect: errno ${errno}`);
    await client.send(3_000);
    await client.receive(3_000);
    await client.close();
    t.closed(client, 'closed_both', { fields: { state: 'closing' } });
  }),
];

/** The kernel tells nobody why: the row says that it does not know. */
const NO_PORT = { state: 'syn_sent', errno: oneOf(0, EADDRNOTAVAIL), errno_known: false } as const;

/** A connect that fails before there is a SYN: seen by nobody but the process. */
function expectUnseen(t: Truth, client: Socket): void {
  t.failed(client, oneOf('unknown', 'unreachable', 'denied'), {
    // It never began: which number it has is nobody's promise.
    key: { socket_cookie: client.cookie, peer_port: client.life.peer.port },
    fields: {
      errno: 0,
      errno_known: false,
      generation: oneOf(0, 1),
      local_address: atAnyAddress(client),
      local_port: atLeast(0),
      ts: atLeast(client.life.start.before - 500),
    },
  });
}

/** The route would have told the address. */
const atAnyAddress = ({ life }: Socket) =>
  life.family === 'ipv6'
    ? oneOf('0'.repeat(32))
    : oneOf('0'.repeat(32), `${'0'.repeat(20)}ffff${'0'.repeat(8)}`);
