/** Segments sent again: every cause, every place where they are lost. */
import { Overdue, until } from '../../harness/until.ts';
import { atLeast, number, oneOf, sameAs } from '../check.ts';
import {
  ETIMEDOUT,
  SO_KEEPALIVE,
  TCP_CONGESTION,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
} from '../linux.ts';
import type { Need } from '../needs.ts';
import { drop, pass, quiet, whenInfo } from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Network, Pair, RetransmitRows, RowOptions, Truth } from '../truth.ts';

async function linked(
  t: Truth,
  family: 'ipv4' | 'ipv6' = 'ipv4',
): Promise<Pair & { readonly near: Network; readonly far: Network }> {
  const [near, far] = await t.link();
  const pair = await t.pair(await near.actor(), await far.actor(), { at: far[family] });
  await pair.client.send(1_000);
  await pair.server.receive(1_000);
  await quiet(pair.client, pair.server);
  return { ...pair, near, far };
}

/** First transmissions that were dropped on this host, as the kernel's counters and the program's log tell. */
const LOCAL_DROPS = sameAs(
  'tcp_bytes_sent - tcp_bytes_retrans - bytes_sent',
  (row) => number(row, 'tcp_bytes_sent') - number(row, 'tcp_bytes_retrans') - number(row, 'bytes_sent'),
);

/** Both ends close, once nothing is on its way; TCP_INFO at that moment is what the rows must say. */
async function finish(
  t: Truth,
  { client, server }: Pair,
  { fields = {}, retransmits }: Pick<RowOptions, 'fields' | 'retransmits'> = {},
): Promise<void> {
  await quiet(client, server);
  await client.close();
  await server.receive(1);
  await server.close();
  const { info } = client.life;
  const counted = {
    tcp_bytes_sent: info?.['bytes_sent'] ?? 0,
    data_segs_out: info?.['data_segs_out'] ?? 0,
    reord_seen: info?.['reord_seen'] ?? 0,
    dsack_dups: info?.['dsack_dups'] ?? 0,
    // The FIN may be sent again too; the rows and the kernel's counters say so.
    total_retrans: atLeast(info?.['total_retrans'] ?? 0),
    local_drop_bytes: (info?.['bytes_sent'] ?? 0) - (info?.['bytes_retrans'] ?? 0) - client.life.sent,
  };
  t.closed(client, 'closed_local', {
    fields: { ...counted, ...fields },
    ...(retransmits ? { retransmits } : {}),
  });
  t.closed(server, 'closed_peer', {
    fields: { rcv_ooopack: server.life.info?.['rcv_ooopack'] ?? 0, local_drop_bytes: LOCAL_DROPS },
  });
}

/** Each time the timer fired, the first segment was sent again, or failed to be; the other causes may be there too. */
function byTimer(t: Truth, network: Network): readonly RetransmitRows[] {
  const fired = t.count(network, 'TCPTimeouts');
  const others = oneOf('loss_recovery', 'fast', 'tail_loss_probe');
  return [
    { fields: { retransmit_cause: 'rto' }, least: fired, most: fired },
    { fields: { retransmit_cause: others }, least: 0, most: Number.POSITIVE_INFINITY },
  ];
}

/** Nothing but the lost segment is under way: every counter of its rows is known, from TCP_INFO on both sides of each. */
function lastLost(family: 'ipv4' | 'ipv6', suffix: string): Scenario {
  return scenario(
    `tail_loss_probe_and_rto${suffix}`,
    `the last segment is lost${family === 'ipv6' ? ', over IPv6' : ''}: a probe, then the timer`,
    ['nftables', ...(family === 'ipv6' ? (['ipv6'] as const) : [])],
    async (t) => {
      const { far, ...pair } = await linked(t, family);
      await drop(far, 'input', 'drop');
      await pair.client.send(500);
      const { segs_in } = await whenInfo(pair.client, (info) => (info['total_retrans'] ?? 0) >= 3);
      const read = pair.client.life.readings.filter(({ info }) => info['segs_in'] === segs_in);
      const counts = new Set(read.map(({ info }) => info['total_retrans']));
      if (counts.size < 3) throw new Overdue('TCP_INFO was not read between the retransmissions');
      await pass(far);
      await pair.server.receive(500);
      await finish(t, pair, { fields: { retrans_tail_loss_probe: atLeast(1), retrans_rto: atLeast(1) } });
    },
  );
}

const BULK_BYTES = 2 << 20;

/** A bulk transfer with loss, under one algorithm. `lose` returns when the loss is arranged. */
function bulk(
  name: string,
  what: string,
  {
    needs,
    algorithm,
    lose,
  }: {
    needs: readonly Need[];
    algorithm: Need & ('cubic' | 'bbr');
    lose: (near: Network, far: Network) => Promise<unknown>;
  },
): Scenario {
  return scenario(`${name}_${algorithm}`, `${what}, ${algorithm}`, [...needs, algorithm], async (t) => {
    const [near, far] = await t.link();
    const { client, server, listener } = await t.pair(await near.actor(), await far.actor(), {
      at: far.ipv4,
      before: async (made) => await made.set(TCP_CONGESTION, algorithm),
    });
    await lose(near, far);
    await Promise.all([client.send(BULK_BYTES), server.receive(BULK_BYTES)]);
    await Promise.all([pass(near), pass(far)]);
    await finish(t, { client, server, listener }, { fields: { congestion_control: algorithm } });
    const { info, sent } = client.life;
    // What its own host refuses was never sent, but counts as sent twice.
    const lost = (info?.['total_retrans'] ?? 0) + (info?.['bytes_sent'] ?? 0) - sent;
    if (lost === 0) throw new Error('nothing was lost');
  });
}

const RECEIVER = {
  needs: ['nftables'] as const,
  lose: async (_: Network, far: Network) =>
    await drop(far, 'input', 'meta length gt 200 numgen inc mod 7 == 3 drop'),
};
const OUTPUT = {
  needs: ['nftables'] as const,
  lose: async (near: Network) => await drop(near, 'output', 'meta length gt 200 numgen inc mod 7 == 3 drop'),
};
const QUEUE = {
  needs: ['tbf'] as const,
  lose: async (near: Network) =>
    await near.run('tc qdisc add dev link root tbf rate 50mbit burst 20kb limit 30kb'),
};

export const RETRANSMIT: readonly Scenario[] = [
  lastLost('ipv4', ''),
  lastLost('ipv6', '_ipv6'),

  scenario(
    'fast_retransmit',
    'one segment of many is lost, the receiver tells by SACK',
    ['nftables'],
    async (t) => {
      const { near, far, ...pair } = await linked(t);
      await pair.client.set(TCP_NODELAY, 1);
      // A busy machine may send a probe first: again, until the kernel has counted one.
      await until('a fast retransmission', async () => {
        await drop(far, 'input', 'meta length gt 200 limit rate 1/hour burst 1 packets drop');
        await Promise.all([pair.client.send(40_000, 'send 1000'), pair.server.receive(40_000)]);
        await quiet(pair.client, pair.server);
        return t.count(near, 'TCPFastRetrans') > 0;
      });
      await pass(far);
      await finish(t, pair, { fields: { retrans_fast: atLeast(1) } });
    },
  ),

  scenario(
    'loss_recovery',
    'a whole flight is lost, the timer fires, the rest follows',
    ['nftables'],
    async (t) => {
      const { near, far, ...pair } = await linked(t);
      await pair.client.set(TCP_NODELAY, 1);
      await until('a retransmission in recovery after a timeout', async () => {
        await drop(far, 'input', 'drop');
        await pair.client.send(8_000, 'send 1000');
        const { total_rto = 0 } = await pair.client.info();
        await whenInfo(pair.client, (info) => info['ca_state'] === 4 || (info['total_rto'] ?? 0) > total_rto);
        await pass(far);
        await pair.server.receive(8_000);
        await quiet(pair.client, pair.server);
        return t.count(near, 'TCPSlowStartRetrans') > 0;
      });
      await finish(t, pair, { fields: { retrans_rto: atLeast(1), retrans_loss_recovery: atLeast(1) } });
    },
  ),

  bulk('receiver_drop', 'the receiver drops every seventh packet', { ...RECEIVER, algorithm: 'cubic' }),
  bulk('receiver_drop', 'the receiver drops every seventh packet', { ...RECEIVER, algorithm: 'bbr' }),
  bulk('output_drop', 'the OUTPUT chain of the sender drops every seventh packet', {
    ...OUTPUT,
    algorithm: 'cubic',
  }),
  bulk('output_drop', 'the OUTPUT chain of the sender drops every seventh packet', {
    ...OUTPUT,
    algorithm: 'bbr',
  }),
  bulk('queue_drop', 'a short queue of the sender overflows', { ...QUEUE, algorithm: 'cubic' }),
  bulk('queue_drop', 'a short queue of the sender overflows', { ...QUEUE, algorithm: 'bbr' }),

  scenario('link_down_far', 'the link of the peer goes down in the middle, and up again', async (t) => {
    const { near, far, ...pair } = await linked(t);
    await far.link('down');
    await pair.client.send(5_000);
    await whenInfo(pair.client, (info) => (info['backoff'] ?? 0) > 0);
    await far.link('up');
    await pair.server.receive(5_000);
    if (t.count(near, 'TCPTimeouts') === 0) throw new Error('the loss was not felt');
    await finish(t, pair, { retransmits: () => byTimer(t, near) });
  }),

  scenario('link_down_near', 'the own link goes down in the middle, and up again', async (t) => {
    const { near, far, ...pair } = await linked(t);
    await near.link('down');
    await pair.client.send(5_000);
    // Nothing is in flight: what the kernel tries by its timer is the first segment, again and again.
    const { bytes_sent = 0 } = await pair.client.info();
    await whenInfo(pair.client, (info) => (info['probes'] ?? 0) > 1);
    await near.link('up');
    await pair.server.receive(5_000);
    const after = await pair.client.info();
    if ((after['bytes_sent'] ?? 0) <= bytes_sent + 5_000) throw new Error('nothing was tried meanwhile');
    await finish(t, pair, { retransmits: () => byTimer(t, near) });
  }),

  scenario(
    'transmit_failed',
    'a segment is lost on its way; this host itself drops what it sends in its place, twice',
    ['nftables'],
    async (t) => {
      const { near, far, ...pair } = await linked(t);
      await drop(far, 'input', 'drop');
      await pair.client.send(500);
      await whenInfo(pair.client, (info) => info['data_segs_out'] === 2);
      await drop(near, 'output', 'meta length gt 200 drop');
      await t.counted(near, 'TCPRetransFail', 2);
      await pass(near);
      await pass(far);
      await pair.server.receive(500);
      // Every segment fits a packet: rows are counted as the kernel counts segments.
      await finish(t, pair, {
        retransmits: () => {
          const failed = t.count(near, 'TCPRetransFail');
          const sent = t.count(near, 'RetransSegs') - failed;
          // What still lay in a queue of this host was not tried again.
          const most = failed + t.count(near, 'TCPSpuriousRtxHostQueues');
          const row = { retransmit_segments: 1 };
          return [
            { fields: { ...row, transmit_failed: true }, least: failed, most },
            { fields: { ...row, transmit_failed: false }, least: sent, most: sent },
          ];
        },
      });
    },
  ),

  scenario('dead_peer', 'the peer goes silent, TCP_USER_TIMEOUT ends it', ['nftables'], async (t) => {
    const { far, client, server } = await linked(t);
    await client.set(TCP_USER_TIMEOUT, 1_000);
    await drop(far, 'input', 'drop');
    await client.send(500);
    await client.receive(1);
    client.life.end = { before: client.life.start.after, after: Date.now() * 1_000 };
    t.closed(client, 'timed_out', {
      fields: { state: 'established', errno: ETIMEDOUT, bytes_delivered: 1_000, reset_direction: 'none' },
    });
    await client.close();
    await server.close('abort');
    t.closed(server, 'reset_sent', { isAtCall: true, fields: { reset_direction: 'sent' } });
    t.reset(server, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
  }),

  scenario('keep_alive', 'the peer does not answer a keep-alive probe', ['nftables'], async (t) => {
    const { far, client, server } = await linked(t);
    await drop(far, 'input', 'drop');
    await client.set(TCP_KEEPIDLE, 1);
    await client.set(TCP_KEEPINTVL, 1);
    await client.set(TCP_KEEPCNT, 1);
    await client.set(SO_KEEPALIVE, 1);
    await client.receive(1);
    client.life.end = { before: client.life.start.after, after: Date.now() * 1_000 };
    t.closed(client, 'timed_out', { fields: { state: 'established', errno: ETIMEDOUT } });
    t.reset(client, 'sent', { fields: { reset_reason: 'tcp_keepalive_timeout' } });
    await client.close();
    await server.close('abort');
    t.closed(server, 'reset_sent', { isAtCall: true, fields: { reset_direction: 'sent' } });
    t.reset(server, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
  }),
];
