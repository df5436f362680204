/** Every counter of TCP_INFO, frozen: nothing moves between the reading and the row. */
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../harness/until.ts';
import { frozenFields } from '../frozen.ts';
import { ECONNRESET, SO_RCVBUF, SO_SNDBUF, TCP_MAXSEG, TCP_NODELAY } from '../linux.ts';
import { drop, pass, quiet, whenInfo } from '../play.ts';
import type { TcpInfo } from '../reply.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Socket } from '../socket.ts';
import type { Fields, Network, Pair, Truth } from '../truth.ts';

type Linked = Pair & { readonly near: Network; readonly far: Network };

async function linked(
  t: Truth,
  family: 'ipv4' | 'ipv6',
  before?: (client: Socket) => Promise<void>,
): Promise<Linked> {
  const [near, far] = await t.link();
  const pair = await t.pair(await near.actor(), await far.actor(), {
    at: far[family],
    ...(before ? { before } : {}),
  });
  return { ...pair, near, far };
}

/** Different numbers in each direction, so that no two counters are equal by chance. */
async function talk({ client, server }: Pair): Promise<void> {
  await client.send(30_000, 'send 3000');
  await server.receive(30_000);
  await server.send(170_000);
  await client.receive(170_000);
  await client.send(700);
  await server.receive(700);
  await quiet(client, server);
}

/** One end aborts; the other has the reset and nothing else more than it had. */
async function freeze(
  t: Truth,
  [first, second]: readonly [Socket, Socket],
  fields: Fields = {},
): Promise<void> {
  const before = await second.info();
  await first.close('abort');
  await second.receive(1);
  await second.close();
  t.closed(first, 'reset_sent', { isAtCall: true, fields: { ...frozenFields(first.life), ...fields } });
  t.reset(first, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
  const life = { ...second.life, info: { ...before, segs_in: (before['segs_in'] ?? 0) + 1 } };
  t.closed(second, 'reset_received', {
    cause: first,
    fields: { ...frozenFields(life), errno: ECONNRESET, reset_direction: 'received', state: 'established' },
  });
  t.reset(second, 'received', { cause: first });
}

const SIDES = ['client', 'server'] as const;

/** Both roles abort, in two connections. */
function frozen(family: 'ipv4' | 'ipv6'): readonly Scenario[] {
  return SIDES.map((side) =>
    scenario(
      `tcp_info_${family}_${side}_aborts`,
      `all of TCP_INFO of both ends after an exchange over ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`,
      family === 'ipv6' ? ['ipv6'] : [],
      async (t) => {
        const pair = await linked(t, family, async (client) => await client.set(TCP_MAXSEG, 1_100));
        await talk(pair);
        const { client, server } = pair;
        await freeze(t, side === 'client' ? [client, server] : [server, client]);
      },
    ),
  );
}

export const COUNTERS: readonly Scenario[] = [
  ...frozen('ipv4'),
  ...frozen('ipv6'),

  scenario(
    'tcp_info_no_options',
    'all of TCP_INFO without timestamps, SACK and window scaling',
    async (t) => {
      const [near, far] = await t.link();
      for (const network of [near, far])
        for (const name of ['timestamps', 'sack', 'window_scaling'])
          await network.sysctl(`net.ipv4.tcp_${name}`, 0);
      const pair = await t.pair(await near.actor(), await far.actor(), { at: far.ipv4 });
      await talk(pair);
      await freeze(t, [pair.server, pair.client], { options: 0 });
    },
  ),

  scenario('tcp_info_ecn', 'all of TCP_INFO after congestion marks', ['nftables'], async (t) => {
    const [near, far] = await t.link();
    for (const network of [near, far]) await network.sysctl('net.ipv4.tcp_ecn', 1);
    const pair = await t.pair(await near.actor(), await far.actor(), { at: far.ipv4 });
    await drop(far, 'input', 'meta length gt 500 ip ecn set ce');
    await talk(pair);
    const { delivered_ce = 0 } = await pair.client.info();
    if (delivered_ce === 0) throw new Error('no segment was marked');
    await freeze(t, [pair.client, pair.server]);
  }),

  scenario(
    'tcp_info_after_loss',
    'all of TCP_INFO after loss, reordering and duplicates',
    ['nftables'],
    async (t) => {
      const pair = await linked(t, 'ipv4', async (client) => await client.set(TCP_NODELAY, 1));
      const { client, server, far } = pair;
      await talk(pair);
      await until('every kind of trouble', async () => {
        // Data are lost on the way there, acknowledgements on the way back.
        await drop(far, 'input', 'meta length gt 200 limit rate 1/hour burst 2 packets drop');
        await Promise.all([client.send(40_000, 'send 1000'), server.receive(40_000)]);
        await drop(pair.near, 'input', 'drop');
        await client.send(2_000);
        await server.receive(2_000);
        await whenInfo(client, (info) => (info['backoff'] ?? 0) > 0);
        await pass(pair.near);
        await pass(far);
        await quiet(client, server);
        const [ours, theirs] = [await client.info(), await server.info()];
        return [ours['total_retrans'], ours['dsack_dups'], theirs['rcv_ooopack']].every(
          (count) => count !== 0,
        );
      });
      await freeze(t, [client, server]);
    },
  ),

  scenario(
    'tcp_info_in_loss',
    'all of TCP_INFO in the middle of recovery after a timeout',
    ['nftables'],
    async (t) => {
      const { client, server, near, far } = await linked(t, 'ipv4', async (made) => {
        await made.set(TCP_NODELAY, 1);
      });
      await client.send(5_000);
      await server.receive(5_000);
      await quiet(client, server);
      await drop(far, 'input', 'meta length gt 200 limit rate 1/hour burst 1 packets accept');
      await far.run('nft add rule inet truth drops meta length gt 200 drop');
      await client.send(8_000, 'send 1000');
      // The next timer is far away then.
      await whenInfo(client, (info) => (info['backoff'] ?? 0) >= 2);
      await client.close('abort');
      t.closed(client, 'reset_sent', {
        isAtCall: true,
        fields: {
          ...frozenFields(client.life),
          bytes_delivered: (client.life.info?.['bytes_acked'] ?? 0) - 1,
          reset_direction: 'sent',
        },
      });
      t.reset(client, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
      await ended(t, client, server);
      // What the server still answers meets no socket.
      t.strayReset(near, client.life.local, client.life.peer, { least: 0, most: 10 });
    },
  ),

  scenario('zero_window', 'the receiver stops reading, then reads all', async (t) => {
    const { client, server, listener } = await linked(t, 'ipv4');
    await listener.set(SO_RCVBUF, 32_768);
    const sending = client.send(400_000);
    await stalled(client, 'rwnd_limited');
    await Promise.all([sending, server.receive(400_000)]);
    await quiet(client, server);
    const { rwnd_limited = 0 } = await client.info();
    if (rwnd_limited === 0) throw new Error('the window was never closed');
    await freeze(t, [client, server]);
  }),

  scenario('send_buffer', 'a small send buffer holds the sender up', ['tbf'], async (t) => {
    const { client, server, near } = await linked(
      t,
      'ipv4',
      async (made) => await made.set(SO_SNDBUF, 4_096),
    );
    await near.run('tc qdisc add dev link root tbf rate 20mbit burst 20kb latency 50ms');
    await Promise.all([client.send(300_000), server.receive(300_000)]);
    await quiet(client, server);
    await freeze(t, [client, server]);
  }),

  scenario('unsent_at_abort', 'the sender aborts with data in flight and data never sent', async (t) => {
    const { client, server } = await linked(t, 'ipv4');
    await client.nonblocking();
    // Until the window of the peer and the own buffer are full.
    await client.send(50_000_000);
    await stalled(client, 'notsent_bytes');
    await client.close('abort');
    const { bytes_acked = 0, notsent_bytes = 0 }: TcpInfo = client.life.info ?? {};
    if (notsent_bytes === 0) throw new Error('everything was sent');
    t.closed(client, 'reset_sent', {
      isAtCall: true,
      fields: {
        ...frozenFields(client.life),
        bytes_sent: client.life.sent - notsent_bytes,
        bytes_unsent: notsent_bytes,
        bytes_delivered: bytes_acked - 1,
        reset_direction: 'sent',
      },
    });
    t.reset(client, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
    await ended(t, client, server, bytes_acked - 1);
  }),
];

/** The other end of an abort, which has read nothing of `unread` bytes. */
async function ended(t: Truth, client: Socket, server: Socket, unread?: number): Promise<void> {
  await until('the reset to arrive', async () => (await server.info())['state'] === CLOSED);
  const { bytes_received = 0 } = await server.info();
  await server.close();
  // It was over before: this close is no evidence of whose it was.
  server.life.closer = undefined;
  t.closed(server, 'reset_received', {
    cause: client,
    fields: {
      errno: ECONNRESET,
      reset_direction: 'received',
      bytes_received: unread ?? bytes_received,
      // The process may still read what had arrived.
      bytes_unread: 0,
    },
  });
  t.reset(server, 'received', { cause: client });
}

const CLOSED = 7;

/** The counter is above zero and nothing is acknowledged any more. */
async function stalled(socket: Socket, counter: string): Promise<void> {
  let acked = -1;
  await until('the sender to be held up', async () => {
    const info = await socket.info();
    const isStill = info['bytes_acked'] === acked && (info[counter] ?? 0) > 0;
    acked = info['bytes_acked'] ?? 0;
    await sleep(20);
    return isStill;
  });
}
