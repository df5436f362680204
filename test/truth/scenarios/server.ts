/** Handshakes and queues as the listening side sees them. */
import { atLeast } from '../check.ts';
import { now } from '../clock.ts';
import { closeRow } from '../connection-rows.ts';
import type { Ended } from '../life-fields.ts';
import { ECONNRESET, ETIMEDOUT, SO_REUSEADDR, TCP_SYNCNT } from '../linux.ts';
import { closeInTurn, drop, exchange, pass, quiet, whenInfo } from '../play.ts';
import type { Bracket } from '../reply.ts';
import { resetRow } from '../reset-rows.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Life, Socket } from '../socket.ts';
import type { Network, Truth } from '../truth.ts';

/**
 * What nobody accepted, as its client knows it: a socket without a process, whose cookie is nobody's to know. It
 * wrote nothing, and left what arrived.
 */
function expectUnaccepted(
  t: Truth,
  { inode }: Network,
  { client, listener, closed }: { client: Socket; listener: Socket; closed: Bracket },
): void {
  const { listening } = listener;
  if (!listening) throw new Error('not a listener');
  const { life } = client;
  const unaccepted: Life = {
    ...life,
    role: 'server',
    generation: 0,
    maker: listening.process,
    opener: undefined,
    firstIo: undefined,
    closer: undefined,
    local: life.peer,
    peer: life.local,
    sent: 0,
    received: life.sent,
    readings: [],
    born: undefined,
    info: undefined,
  };
  const ended: Ended = {
    life: unaccepted,
    namespace: inode,
    listener: listening,
    ts: closed,
    endUs: closed.after,
    fields: {},
    about: { socket_cookie: atLeast(1) },
  };
  const key = { local_port: life.peer.port, peer_port: life.local.port };
  t.expect({
    ...closeRow({
      ...ended,
      fields: {
        state: 'established',
        verdict: 'unaccepted',
        bytes_unread: life.sent,
        reset_direction: 'sent',
        segs_in: atLeast(2),
        data_segs_in: 1,
        data_segs_out: 0,
      },
    }),
    key,
  });
  t.expect({
    ...resetRow({ ...ended, fields: { reset_reason: 'tcp_state' } }, 'sent'),
    key: { ...key, reset_direction: 'sent' },
  });
}

export const SERVER: readonly Scenario[] = [
  scenario('never_accepted', 'the listener closes with a connection in its queue', async (t) => {
    const network = await t.network();
    const serverActor = await network.actor();
    const listener = await t.listen(serverActor, '127.0.0.1');
    const client = await (await network.actor()).socket();
    await client.connect({ address: '127.0.0.1', port: listener.listening?.local.port ?? 0 });
    await client.send(100);
    await whenInfo(client, (info) => info['unacked'] === 0);
    const before = now();
    await listener.close();
    const closed = { before: before - 1_000, after: now() };
    await client.receive(1);
    await client.close();
    expectUnaccepted(t, network, { client, listener, closed });
    t.unlistened(listener, { accept_queue: 1, listen_drops: 0 });
    // How long it lay there is the machine's to say.
    t.anyOpen(network);
    t.closed(client, 'reset_received', {
      cause: client,
      fields: { state: 'established', errno: ECONNRESET, ts: atLeast(client.life.start.before) },
    });
    t.reset(client, 'received', { fields: { ts: atLeast(client.life.start.before) } });
  }),

  scenario('accept_queue_overflow', 'the accept queue is full, the next SYN is dropped', async (t) => {
    const network = await t.network();
    const serverActor = await network.actor();
    const listener = await t.listen(serverActor, '127.0.0.1', { backlog: 0 });
    const to = { address: '127.0.0.1', port: listener.listening?.local.port ?? 0 };
    const actor = await network.actor();
    const first = await actor.socket();
    await first.connect(to);
    const second = await actor.socket();
    await second.set(TCP_SYNCNT, 1);
    const { errno } = await second.connect(to);
    if (errno !== ETIMEDOUT) throw new Error(`connect: errno ${errno}`);
    second.life.local = { address: '127.0.0.1', port: second.life.local.port };
    t.failed(second, 'timed_out', {
      isAtCall: true,
      fields: { state: 'syn_sent', errno: ETIMEDOUT, retrans_syn: atLeast(1) },
    });
    const pair = { client: first, listener, server: await t.accept(listener, first) };
    await exchange(pair);
    await closeInTurn(t, pair);
    t.unlistened(listener, { listen_drops: t.count(network, 'ListenDrops') });
  }),

  scenario('syn_then_reset', 'a SYN from an address that then denies it', ['raw'], async (t) => {
    const network = await t.network();
    const listener = await t.listen(await network.actor(), '127.0.0.1');
    const port = listener.listening?.local.port ?? 0;
    await network.steward.must(`raw 127.0.0.9 5555 127.0.0.1 ${port} S 1000 0`);
    await t.counted(network, 'OutRsts', 1);
    await t.alone(network, 1);
    t.strayReset(network, { address: '127.0.0.9', port: 5_555 }, { address: '127.0.0.1', port });
  }),

  scenario(
    'syn_to_closed_port',
    'a SYN from nobody to a port nobody listens on',
    ['nftables', 'raw'],
    async (t) => {
      const [near, far] = await t.link();
      await drop(near, 'input', 'drop');
      await near.steward.must(`raw ${near.ipv4} 5555 ${far.ipv4} 1001 S 1000 0`);
      await t.counted(far, 'OutRsts', 1);
      t.strayReset(far, { address: far.ipv4, port: 1_001 }, { address: near.ipv4, port: 5_555 });
    },
  ),

  scenario(
    'segment_without_connection',
    'an ACK for a connection that is not there',
    ['nftables', 'raw'],
    async (t) => {
      const [near, far] = await t.link();
      await drop(near, 'input', 'drop');
      await near.steward.must(`raw ${near.ipv4} 5555 ${far.ipv4} 1001 A 1000 7`);
      await t.counted(far, 'OutRsts', 1);
      t.strayReset(far, { address: far.ipv4, port: 1_001 }, { address: near.ipv4, port: 5_555 });
    },
  ),

  scenario(
    'ack_to_listener',
    'an ACK for no connection, to a port that is listened on',
    ['nftables', 'raw'],
    async (t) => {
      const [near, far] = await t.link();
      const { listening } = await t.listen(await far.actor(), far.ipv4);
      if (!listening) throw new Error('not a listener');
      await drop(near, 'input', 'drop');
      const { port } = listening.local;
      await near.steward.must(`raw ${near.ipv4} 5555 ${far.ipv4} ${port} A 1000 7`);
      await t.counted(far, 'OutRsts', 1);
      t.strayReset(
        far,
        { address: far.ipv4, port },
        { address: near.ipv4, port: 5_555 },
        { listener: listening },
      );
    },
  ),

  scenario('syn_ack_lost_once', 'the SYN-ACK is lost, then one arrives', ['nftables'], async (t) => {
    const [near, far] = await t.link();
    const listener = await t.listen(await far.actor(), far.ipv4);
    await drop(near, 'input', 'drop');
    const client = await (await near.actor()).socket();
    const connecting = client.connect({ address: far.ipv4, port: listener.listening?.local.port ?? 0 });
    await t.counted(far, 'TCPSynRetrans', 1);
    await pass(near);
    await connecting;
    const pair = { client, listener, server: await t.accept(listener, client) };
    await exchange(pair);
    await quiet(client, pair.server);
    // They tell of what was sent again before.
    for (const [network, { cookie }] of [[near, client] as const, [far, pair.server] as const])
      await t.seen(network, 'the open', (row) => row['kind'] === 'open' && row['socket_cookie'] === cookie);
    await client.close();
    await pair.server.receive(1);
    await pair.server.close();
    t.closed(client, 'closed_local');
    t.closed(pair.server, 'closed_peer', {
      fields: { retrans_syn_ack: atLeast(1) },
    });
  }),

  scenario('time_wait_reuse', 'the ports of a connection in TIME_WAIT are used again', async (t) => {
    const network = await t.network();
    const actor = await network.actor();
    const before = async (client: Socket): Promise<void> => {
      await client.set(SO_REUSEADDR, 1);
      await client.bind('127.0.0.1', 3_000);
    };
    const pair = await t.pair(actor, await network.actor(), { before });
    await exchange(pair);
    const { client, server, listener } = pair;
    // The listening side keeps the TIME_WAIT; a newer SYN may take its place.
    await server.close();
    await client.receive(1);
    await client.close();
    await t.gone(client);
    t.closed(server, 'closed_local', { fields: { state: 'fin_wait_2' } });
    t.closed(client, 'closed_peer', { fields: { state: 'last_ack' } });
    const again = await actor.socket();
    await before(again);
    const { errno } = await again.connect(server.life.local);
    if (errno !== 0) throw new Error(`connect: errno ${errno}`);
    const second = { client: again, listener, server: await t.accept(listener, again) };
    await exchange(second);
    await closeInTurn(t, second);
  }),

  scenario('syn_cookies', 'a handshake without memory of it, answered by a cookie', async (t) => {
    const network = await t.network();
    // Always, not only under pressure.
    await network.sysctl('net.ipv4.tcp_syncookies', 2);
    const pair = await t.pair(await network.actor(), await network.actor());
    await exchange(pair);
    const { client, server } = pair;
    server.life.isUnmeasured = true;
    await client.close();
    await server.receive(1);
    await server.close();
    t.closed(client, 'closed_local');
    t.closed(server, 'closed_peer');
  }),

  scenario('defer_accept', 'TCP_DEFER_ACCEPT: accepted when the first data come', async (t) => {
    const network = await t.network();
    const listener = await t.listen(await network.actor(), '127.0.0.1');
    await listener.set([6, 9], 5);
    const client = await (await network.actor()).socket();
    await client.connect({ address: '127.0.0.1', port: listener.listening?.local.port ?? 0 });
    await client.send(3_000);
    const server = await t.accept(listener, client);
    await server.receive(3_000);
    await client.close();
    await server.receive(1);
    await server.close();
    t.closed(client, 'closed_local');
    t.closed(server, 'closed_peer', { fields: { state: 'last_ack' } });
  }),
];
