/** How a connect ends that sent a SYN. */
import { atLeast, number, sameAs } from '../check.ts';
import {
  ECONNREFUSED,
  EHOSTUNREACH,
  EINPROGRESS,
  EPIPE,
  ETIMEDOUT,
  TCP_SYNCNT,
  TCP_USER_TIMEOUT,
} from '../linux.ts';
import {
  CLOSED,
  CLOSED_TOO,
  closeInTurn,
  drop,
  exchange,
  fails,
  killed,
  ofGone,
  pass,
  whenInfo,
} from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Socket } from '../socket.ts';
import type { Truth } from '../truth.ts';

/** Of TCP_INFO. */
const FIN_WAIT_2 = 5;

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

  scenario('shutdown_disconnect', 'shutdown of both ways, then connect(AF_UNSPEC)', async (t) => {
    const network = await t.network();
    const { client, server, listener } = await t.pair(await network.actor(), await network.actor());
    await exchange({ client, server, listener });
    await client.shutdown('both');
    await whenInfo(client, (info) => info['state'] === FIN_WAIT_2);
    await client.disconnect();
    await server.receive(1);
    await server.close();
    // The FIN was acknowledged, and still the kernel sends a reset.
    if (t.count(network, 'OutRsts') !== 1) throw new Error(`resets: ${t.count(network, 'OutRsts')}, not 1`);
    t.closed(client, 'reset_sent', { fields: { state: 'fin_wait_2', reset_direction: 'sent' } });
    t.reset(client, 'sent', { fields: { reset_reason: 'tcp_state' } });
    t.closed(server, 'reset_received', {
      cause: client,
      fields: { state: 'close_wait', errno: EPIPE, reset_direction: 'received' },
    });
    t.reset(server, 'received', { cause: client });
  }),

  scenario(
    'shutdown_disconnect_last',
    'the peer has closed; shutdown of both ways, its FIN is lost, then connect(AF_UNSPEC)',
    ['nftables'],
    async (t) => {
      const [near, far] = await t.link();
      const pair = await t.pair(await near.actor(), await far.actor(), { at: far.ipv4 });
      const { client, server } = pair;
      await exchange(pair);
      await server.shutdown('write');
      await client.receive(1);
      await whenInfo(server, (info) => info['state'] === FIN_WAIT_2);
      await drop(far, 'input', 'drop');
      await client.shutdown('both');
      await client.disconnect();
      await server.close();
      // Nobody acknowledged the FIN, and the kernel sends no reset: all had been sent.
      if (t.count(near, 'OutRsts') !== 0) throw new Error(`resets: ${t.count(near, 'OutRsts')}, not 0`);
      t.closed(client, 'closed_peer', { fields: { state: 'last_ack', reset_direction: 'none' } });
      t.closed(server, 'closed_local', { fields: { state: 'fin_wait_2', reset_direction: 'none' } });
    },
  ),

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
