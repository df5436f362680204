/** Bytes: how they enter and leave, and how many there are. */
import { oneOf } from '../check.ts';
import { SO_OOBINLINE, TCP_FASTOPEN } from '../linux.ts';
import { closeInTurn, exchange, quiet } from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Pair, Truth } from '../truth.ts';

async function local(t: Truth): Promise<Pair> {
  const network = await t.network();
  return await t.pair(await network.actor(), await network.actor());
}

const MANY = 1_000;
/** More than a sequence number can count. */
const FIVE_GB = 5_000_000_000;
const SYN_DATA = 32;

export const DATA: readonly Scenario[] = [
  scenario('nothing_sent', 'a connection without a byte', async (t) => await closeInTurn(t, await local(t))),

  scenario('client_only', 'only the client sends', async (t) => {
    const pair = await local(t);
    await pair.client.send(123_456);
    await pair.server.receive(123_456);
    await closeInTurn(t, pair);
  }),

  scenario('server_only', 'only the server sends', ['send_hook'], async (t) => {
    const pair = await local(t);
    await pair.server.send(123_456);
    await pair.client.receive(123_456);
    await closeInTurn(t, pair);
  }),

  scenario('urgent_inline', 'urgent data, read in line', async (t) => {
    const pair = await local(t);
    const { client, server } = pair;
    await server.set(SO_OOBINLINE, 1);
    await client.send(10);
    await client.send(1, 'send oob');
    await client.send(10);
    await server.receive(21);
    await closeInTurn(t, pair);
  }),

  scenario('urgent_skipped', 'urgent data that the reader passes over', async (t) => {
    const { client, server } = await local(t);
    await client.send(10);
    await client.send(1, 'send oob');
    await client.send(10);
    await server.receive(10);
    await server.receive(10);
    await client.close();
    await server.receive(1);
    await server.close();
    t.closed(client, 'closed_local', { fields: { state: 'fin_wait_2' } });
    t.closed(server, 'closed_peer', { fields: { state: 'last_ack', bytes_received: 21 } });
  }),

  scenario('sendfile', 'the client sends a file', async (t) => {
    const pair = await local(t);
    await pair.client.send(200_000, 'sendfile');
    await pair.server.receive(200_000);
    await closeInTurn(t, pair);
  }),

  scenario('sendfile_server_first', 'the server sends a file before it reads', ['send_hook'], async (t) => {
    const pair = await local(t);
    await pair.server.send(200_000, 'sendfile');
    await pair.client.receive(200_000);
    await closeInTurn(t, pair);
  }),

  scenario('splice_proxy', 'a proxy splices one connection into another', async (t) => {
    const network = await t.network();
    const [user, proxy, origin] = [await network.actor(), await network.actor(), await network.actor()];
    const front = await t.pair(user, proxy);
    const back = await t.pair(proxy, origin);
    await front.client.send(90_000);
    const { bytes } = await proxy.must(`splice ${front.server.fd} ${back.client.fd} 90000`);
    front.server.life.received += bytes;
    front.server.life.firstIo = proxy.process;
    back.client.life.sent += bytes;
    await back.server.receive(90_000);
    await closeInTurn(t, front);
    await closeInTurn(t, back);
  }),

  scenario('both_ways_at_once', 'each side reads and writes 20 MB at the same time', async (t) => {
    const network = await t.network();
    const [one, two] = [await network.actor(), await network.actor()];
    const pair = await t.pair(one, two);
    await exchange(pair);
    const [oneReads, twoReads] = [await one.fork(), await two.fork()];
    await Promise.all([
      pair.client.send(20_000_000),
      pair.server.send(20_000_000),
      oneReads.share(pair.client).receive(20_000_000),
      twoReads.share(pair.server).receive(20_000_000),
    ]);
    await Promise.all([oneReads.end(), twoReads.end()]);
    await quiet(pair.client, pair.server);
    await closeInTurn(t, pair);
  }),

  scenario('five_gigabytes', 'more bytes than 32 bits count, one way', async (t) => {
    const pair = await local(t);
    await Promise.all([pair.client.send(FIVE_GB), pair.server.receive(FIVE_GB)]);
    await closeInTurn(t, pair);
  }),

  scenario('fast_open', 'TCP Fast Open: a cookie first, then 700 bytes with the SYN', async (t) => {
    const network = await t.network();
    await network.sysctl('net.ipv4.tcp_fastopen', 3);
    const actor = await network.actor();
    const listener = await t.listen(await network.actor(), '127.0.0.1');
    await listener.set(TCP_FASTOPEN, 16);
    for (const isSecond of [false, true]) {
      const client = await actor.socket();
      const reply = await client.connect(
        { address: '127.0.0.1', port: listener.listening?.local.port ?? 0 },
        'fastopen 700',
      );
      if (reply.errno !== 0) throw new Error(`sendto: errno ${reply.errno}`);
      const server = await t.accept(listener, client);
      const { after } = await server.receive(700);
      server.life.established = { before: client.life.start.before, after };
      server.life.start = server.life.established;
      await server.send(300);
      await client.receive(300);
      const { options = 0 } = await client.info();
      if (isSecond && (options & SYN_DATA) === 0) throw new Error('no data with the SYN');
      // sendto() need not wait for the handshake.
      client.life.established = { before: client.life.start.before, after };
      await closeInTurn(t, { client, server, listener });
    }
  }),

  scenario('thousand', '1,000 connections open at once, closed together by both sides', async (t) => {
    const network = await t.network();
    const [client, server] = [await network.actor(), await network.actor()];
    const listener = await t.listen(server, '127.0.0.1', { backlog: MANY });
    const [connected, accepted] = await Promise.all([
      client.must(`connectmany 127.0.0.1 ${listener.listening?.local.port} ${MANY}`),
      server.must(`acceptmany ${listener.fd} ${MANY}`),
    ]);
    // What arrived at the server stands in the row of its client.
    const sentBy = new Map(connected.sockets.map((one, index) => [one.local_port, index + 1]));
    const ends = await Promise.all([client.must('closemany'), server.must('closemany')]);
    const end = {
      before: Math.min(...ends.map(({ before }) => before)),
      after: Math.max(...ends.map(({ after }) => after)),
    };
    const all = { before: connected.before, after: Math.max(connected.after, accepted.after) };
    const base = {
      family: 'ipv4',
      born: undefined,
      end,
      info: undefined,
      congestionControl: undefined,
    } as const;
    for (const { cookie, local_port, peer_port, before, after } of connected.sockets) {
      const life = {
        ...base,
        role: 'client',
        generation: 1,
        cookie,
        maker: client.process,
        opener: client.process,
        start: { before, after },
        established: { before, after },
        local: { address: '127.0.0.1', port: local_port },
        peer: { address: '127.0.0.1', port: peer_port },
        sent: sentBy.get(local_port) ?? 0,
        received: 0,
        firstIo: client.process,
        closer: client.process,
      } as const;
      // The sides close in no order: either may be first.
      t.closed({ ...life, readings: [] }, oneOf('closed_local', 'closed_peer', 'closed_both'));
    }
    for (const { cookie, local_port, peer_port } of accepted.sockets) {
      const life = {
        ...base,
        role: 'server',
        generation: 0,
        cookie,
        maker: server.process,
        opener: undefined,
        start: all,
        established: all,
        local: { address: '127.0.0.1', port: local_port },
        peer: { address: '127.0.0.1', port: peer_port },
        sent: 0,
        received: sentBy.get(peer_port) ?? 0,
        firstIo: server.process,
        closer: server.process,
      } as const;
      t.closed({ ...life, readings: [] }, oneOf('closed_local', 'closed_peer', 'closed_both'));
    }
    t.unlistened(listener, { accept_queue: 0, accept_queue_max: MANY, listen_drops: 0 });
  }),
];
