/** Who closes first, how, and what was still on its way. */
import { inside, now } from '../clock.ts';
import { endpoints } from '../life-fields.ts';
import { ECONNABORTED, ECONNRESET, EPIPE, TCP_LINGER2 } from '../linux.ts';
import { NO_OWNER } from '../owner-fields.ts';
import { closeInTurn, drop, exchange, exchanged, killed, ofGone, quiet, whenInfo } from '../play.ts';
import { STATES } from '../readings.ts';
import { type Scenario, scenario } from '../scenario.ts';

export const CLOSE: readonly Scenario[] = [
  scenario('plain_ipv4', 'request and answer over IPv4, the client closes first', async (t) => {
    await closeInTurn(t, await exchanged(t, '127.0.0.1'));
  }),

  scenario('plain_ipv6', 'the same over IPv6', ['ipv6'], async (t) => {
    await closeInTurn(t, await exchanged(t, '::1'));
  }),

  scenario('v4_mapped', 'an IPv6 socket on each side, over IPv4', ['ipv6'], async (t) => {
    await closeInTurn(t, await exchanged(t, '::ffff:127.0.0.1'));
  }),

  scenario('v6_listener_v4_client', 'an IPv4 client reaches a listener on ::', ['ipv6'], async (t) => {
    await closeInTurn(t, await exchanged(t, '::', '127.0.0.1'));
  }),

  scenario('server_closes_first', 'the server closes, then the client', async (t) => {
    const { client, server } = await exchanged(t, '127.0.0.1');
    await server.close();
    await client.receive(1);
    await client.close();
    t.closed(server, 'closed_local', { fields: { state: 'fin_wait_2' } });
    t.closed(client, 'closed_peer', { fields: { state: 'last_ack' } });
  }),

  scenario('closes_at_once', 'both ends close before the FIN of the other arrives', ['tbf'], async (t) => {
    const [near, far] = await t.link();
    const pair = await t.pair(await near.actor(), await far.actor(), { at: far.ipv4 });
    const { client, server } = pair;
    await exchange(pair);
    await quiet(client, server);
    const shape = async (how: string): Promise<void> => {
      for (const [{ run, steward }, { ipv4 }] of [[near, far] as const, [far, near] as const]) {
        await run(`tc qdisc ${how}`);
        await steward.must(`datagram ${ipv4}`);
      }
    };
    // The datagram empties the bucket: a FIN behind it waits for ten seconds, while nothing else of TCP is under way.
    await shape('add dev link root tbf rate 16bit burst 80 limit 20000');
    await Promise.all([client.close(), server.close()]);
    // What waits is looked at when more comes.
    await shape('change dev link root tbf rate 100mbit burst 20kb limit 20000');
    for (const end of [client, server]) t.closed(end, 'closed_both', { fields: { state: 'closing' } });
  }),

  scenario('half_close_client', 'the client shuts its writing side, the server still sends', async (t) => {
    const { client, server } = await exchanged(t, '127.0.0.1');
    await client.shutdown('write');
    await server.receive(1);
    await server.send(7_000);
    await client.receive(7_000);
    await server.close();
    await client.receive(1);
    await client.close();
    t.closed(client, 'closed_local', { cause: server, fields: { state: 'fin_wait_2' } });
    t.closed(server, 'closed_peer', { fields: { state: 'last_ack' } });
  }),

  scenario('half_close_server', 'the server shuts its writing side, the client still sends', async (t) => {
    const { client, server } = await exchanged(t, '127.0.0.1');
    await server.shutdown('write');
    await client.receive(1);
    await client.send(7_000);
    await server.receive(7_000);
    await client.close();
    await server.receive(1);
    await server.close();
    t.closed(server, 'closed_local', { cause: client, fields: { state: 'fin_wait_2' } });
    t.closed(client, 'closed_peer', { fields: { state: 'last_ack' } });
  }),

  scenario('abort_linger_0', 'the client aborts with SO_LINGER 0', async (t) => {
    const { client, server } = await exchanged(t, '127.0.0.1');
    await client.close('abort');
    await server.receive(1);
    await server.close();
    t.closed(client, 'reset_sent', {
      isAtCall: true,
      fields: { state: 'established', reset_direction: 'sent' },
    });
    t.closed(server, 'reset_received', {
      cause: client,
      fields: { state: 'established', reset_direction: 'received', errno: ECONNRESET },
    });
    t.reset(client, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
    t.reset(server, 'received', { cause: client });
  }),

  scenario('close_unread', 'the client closes and leaves 5,000 bytes unread', async (t) => {
    const network = await t.network();
    const { client, server } = await t.pair(await network.actor(), await network.actor());
    await client.send(3_000);
    await server.receive(3_000);
    await server.send(5_000);
    await whenInfo(client, (info) => info['bytes_received'] === 5_000);
    await quiet(client, server);
    // It tells of what lies there unread.
    for (const { cookie } of [client, server])
      await t.seen(network, 'the open', (row) => row['kind'] === 'open' && row['socket_cookie'] === cookie);
    await client.close();
    await server.receive(1);
    await server.close();
    t.closed(client, 'reset_sent', {
      isAtCall: true,
      fields: { state: 'established', bytes_received: 5_000, bytes_unread: 5_000, reset_direction: 'sent' },
    });
    t.closed(server, 'reset_received', {
      cause: client,
      fields: { state: 'established', errno: ECONNRESET, reset_direction: 'received' },
    });
    t.reset(client, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_abort_on_close' } });
    t.reset(server, 'received', { cause: client });
  }),

  scenario('data_after_close', 'the server sends to a client that has closed, and is reset', async (t) => {
    const network = await t.network();
    const { client, server } = await t.pair(await network.actor(), await network.actor());
    await client.send(3_000);
    await server.receive(3_000);
    await client.close();
    await server.receive(1);
    // Its FIN is acknowledged: only TIME_WAIT is left.
    await t.gone(client);
    await server.send(1_000);
    await server.receive(1);
    await server.close();
    t.closed(client, 'closed_local', { fields: { state: 'fin_wait_2' } });
    t.closed(server, 'reset_received', {
      cause: client,
      fields: { state: 'close_wait', errno: EPIPE, bytes_delivered: 0, reset_direction: 'received' },
    });
    t.row('reset', network, {
      key: { socket_cookie: client.cookie, reset_direction: 'sent' },
      fields: {
        ...endpoints(client.life.local, client.life.peer),
        ...NO_OWNER,
        family: 'ipv4',
        late: false,
        connections: 0,
        ts: inside({ before: client.life.end?.before ?? 0, after: now() }),
        reset_reason: 'tcp_timewait_socket',
      },
    });
    t.reset(server, 'received', { cause: client });
  }),

  scenario(
    'data_into_fin_wait_1',
    'data reach a client that has closed before its FIN was acknowledged',
    ['nftables'],
    async (t) => {
      const [near, far] = await t.link();
      const { client, server } = await t.pair(await near.actor(), await far.actor(), { at: far.ipv4 });
      await client.send(3_000);
      await server.receive(3_000);
      await whenInfo(client, (info) => info['unacked'] === 0);
      await drop(far, 'input', 'drop');
      await client.close();
      await server.send(1_000);
      t.closed(client, 'reset_sent', {
        fields: { state: 'fin_wait_1', errno: ECONNRESET, data_segs_in: 1, reset_direction: 'sent' },
      });
      t.reset(client, 'sent', { fields: { reset_reason: 'tcp_abort_on_data' } });
      await t.gone(client);
      // Whatever the server sends now meets no socket; its own reset is the end of it.
      await server.close('abort');
      t.closed(server, 'reset_sent', {
        isAtCall: true,
        fields: { state: 'established', bytes_delivered: 0, reset_direction: 'sent' },
      });
      t.reset(server, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
      t.strayReset(near, client.life.local, client.life.peer, { least: 0, most: 10 });
    },
  ),

  scenario('killed', 'the client is killed with SIGKILL', async (t) => {
    const network = await t.network();
    const actor = await network.actor();
    const { client, server } = await t.pair(actor, await network.actor());
    await client.send(3_000);
    await server.receive(3_000);
    // What the agent knew of the process while it lived, it knows when it is gone.
    await t.seen(network, 'the open', (row) => row['kind'] === 'open' && row['pid'] === actor.process.pid);
    await killed(actor, client);
    await server.receive(1);
    await server.close();
    t.closed(client, 'closed_local', { fields: { state: 'fin_wait_2' } });
    t.closed(server, 'closed_peer', { fields: { state: 'last_ack' } });
  }),

  scenario('killed_unread', 'the client is killed with data unread', ['send_hook'], async (t) => {
    const network = await t.network();
    const actor = await network.actor();
    const { client, server } = await t.pair(actor, await network.actor());
    await server.send(5_000);
    await whenInfo(client, (info) => info['bytes_received'] === 5_000);
    await killed(actor, client);
    await server.receive(1);
    await server.close();
    t.closed(client, 'reset_sent', {
      fields: { state: 'established', bytes_received: 5_000, bytes_unread: 5_000 },
      about: ofGone(actor.process),
    });
    t.closed(server, 'reset_received', {
      cause: client,
      fields: { state: 'established', errno: ECONNRESET },
    });
    t.reset(client, 'sent', { fields: { reset_reason: 'tcp_abort_on_close' }, about: ofGone(actor.process) });
    t.reset(server, 'received', { cause: client });
  }),

  scenario('fin_wait_2_orphan', 'the peer never closes, the kernel gives the closed end up', async (t) => {
    const network = await t.network();
    // Up to a minute the kernel keeps a closed end as TIME_WAIT from the start; beyond, for the rest as it is.
    await network.sysctl('net.ipv4.tcp_fin_timeout', 62);
    const { client, server } = await t.pair(await network.actor(), await network.actor());
    await client.send(3_000);
    await server.receive(3_000);
    await client.close();
    await t.gone(client);
    await server.close('abort');
    t.closed(client, 'fin_wait_2_orphan', { fields: { state: 'fin_wait_2' } });
    t.closed(server, 'reset_sent', {
      isAtCall: true,
      fields: { state: 'close_wait', reset_direction: 'sent' },
    });
    t.reset(server, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
  }),

  scenario('abort_in_fin_wait_2', 'the client shuts its writing side, then aborts', async (t) => {
    const { client, server } = await exchanged(t, '127.0.0.1');
    await client.shutdown('write');
    await server.receive(1);
    await whenInfo(client, (info) => STATES[info['state'] ?? 0] === 'fin_wait_2');
    await client.close('abort');
    await server.receive(1);
    await server.close();
    t.closed(client, 'reset_sent', { fields: { state: 'fin_wait_2', reset_direction: 'sent' } });
    t.closed(server, 'reset_received', {
      cause: client,
      fields: { state: 'close_wait', errno: EPIPE, reset_direction: 'received' },
    });
    t.reset(client, 'sent', { fields: { reset_reason: 'tcp_state' } });
    t.reset(server, 'received', { cause: client });
  }),

  scenario('destroyed', 'an administrator ends the connection: ss -K', ['sock_destroy'], async (t) => {
    const network = await t.network();
    const pair = await t.pair(await network.actor(), await network.actor());
    await exchange(pair);
    const { client, server } = pair;
    await quiet(client, server);
    const before = now() - 1_000;
    await network.run(`ss -K sport = ${client.life.local.port}`);
    client.life.end = { before, after: now() };
    await client.receive(1);
    await server.receive(1);
    await client.close();
    await server.close();
    t.closed(client, 'reset_sent', {
      isAtCall: true,
      fields: { state: 'established', errno: ECONNABORTED, reset_direction: 'sent' },
    });
    t.reset(client, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
    t.closed(server, 'reset_received', {
      cause: client,
      fields: { state: 'established', errno: ECONNRESET, reset_direction: 'received' },
    });
    t.reset(server, 'received', { cause: client });
  }),

  scenario('close_without_linger', 'the client closes with TCP_LINGER2 below 0', async (t) => {
    const network = await t.network();
    const { client, server } = await t.pair(await network.actor(), await network.actor());
    await client.set(TCP_LINGER2, -1);
    await client.send(3_000);
    await server.receive(3_000);
    await client.close();
    await t.gone(client);
    await server.receive(1);
    await server.close();
    t.closed(client, 'reset_sent', { fields: { state: 'fin_wait_2', reset_direction: 'sent' } });
    t.closed(server, 'reset_received', {
      cause: client,
      fields: { state: 'close_wait', errno: EPIPE, reset_direction: 'received' },
    });
    t.reset(client, 'sent', { fields: { reset_reason: 'tcp_abort_on_data' } });
    t.reset(server, 'received', { cause: client });
  }),
];
