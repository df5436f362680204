/** Who closes first, how, and what was still on its way. */
import { type Scenario, scenario } from '../scenario.ts';
import type { Pair, Truth } from '../truth.ts';

/** A connection of 3,000 bytes there and 5,000 back, all read. */
async function exchanged(t: Truth, at: string, address = at): Promise<Pair> {
  const network = await t.network();
  const pair = await t.pair(await network.actor(), await network.actor(), { at, address });
  await pair.client.send(3_000);
  await pair.server.receive(3_000);
  await pair.server.send(5_000);
  await pair.client.receive(5_000);
  return pair;
}

/** The client closes, the server reads the end and closes too. */
async function closeInTurn(t: Truth, { client, server }: Pair): Promise<void> {
  await client.close();
  await server.receive(1);
  await server.close();
  t.closed(client, 'closed_local', { fields: { state: 'fin_wait_2' } });
  t.closed(server, 'closed_peer', { fields: { state: 'last_ack' } });
}

export const CLOSE: readonly Scenario[] = [
  scenario('plain_ipv4', 'request and answer over IPv4, the client closes first', async (t) => {
    await closeInTurn(t, await exchanged(t, '127.0.0.1'));
  }),

  scenario('plain_ipv6', 'the same over IPv6', ['ipv6'], async (t) => {
    await closeInTurn(t, await exchanged(t, '::1'));
  }),

  scenario('v4_mapped', 'an IPv6 socket of each side speaks IPv4', ['ipv6'], async (t) => {
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
      fields: { state: 'established', reset_direction: 'received', errno: 104 },
    });
  }),
];
