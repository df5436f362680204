/** Connects that this host denies: there is no SYN, and nobody but the process is told why. */
import { atLeast, oneOf } from '../check.ts';
import { EACCES, EADDRINUSE, EADDRNOTAVAIL, ECONNREFUSED, ENETUNREACH, SO_REUSEADDR } from '../linux.ts';
import { CLOSED, CLOSED_TOO, closeInTurn, fails } from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Socket } from '../socket.ts';
import type { Truth } from '../truth.ts';

/** The kernel tells nobody why: the row says that it does not know. */
const NO_PORT = {
  state: 'syn_sent',
  errno: oneOf(0, EADDRNOTAVAIL),
  errno_known: false,
  segs_out: 0,
} as const;

/** A connect that fails before there is a SYN: seen by nobody but the process. */
function expectUnseen(t: Truth, client: Socket): void {
  t.failed(client, oneOf('unknown', 'unreachable', 'denied'), {
    key: { socket_cookie: client.cookie, peer_port: client.life.peer.port },
    fields: {
      errno: 0,
      errno_known: false,
      segs_out: 0,
      generation: client.life.generation,
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

export const UNSENT: readonly Scenario[] = [
  scenario('no_route', 'no route to the peer, then the same socket finds one', async (t) => {
    const network = await t.network();
    const actor = await network.actor();
    const client = await actor.socket();
    await fails(client, { address: '203.0.113.9', port: CLOSED }, ENETUNREACH, '0.0.0.0');
    expectUnseen(t, client);
    await fails(client, { address: '127.0.0.1', port: CLOSED_TOO }, ECONNREFUSED);
    const key = { socket_cookie: client.cookie, peer_port: CLOSED_TOO };
    t.failed(client, 'refused', {
      key,
      isAtCall: true,
      fields: { state: 'syn_sent', errno: ECONNREFUSED, generation: 2 },
    });
    t.reset(client, 'received', { key, isAtCall: true, fields: { generation: 2 } });
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
];
