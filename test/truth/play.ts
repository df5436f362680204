/** Moves that many scenarios make. */
import { until } from '../harness/until.ts';
import type { Actor } from './actor.ts';
import { oneOf } from './check.ts';
import { now } from './clock.ts';
import type { Fields } from './expected.ts';
import type { Network } from './network.ts';
import type { Process, TcpInfo } from './reply.ts';
import type { Socket } from './socket.ts';
import type { Pair, Truth } from './truth.ts';

/** A connection of 3,000 bytes there and 5,000 back over the loopback, all read. */
export async function exchanged(t: Truth, at: string, address = at): Promise<Pair> {
  const network = await t.network();
  const pair = await t.pair(await network.actor(), await network.actor(), { at, address });
  await exchange(pair);
  return pair;
}

export async function exchange({ client, server }: Pair): Promise<void> {
  await client.send(3_000);
  await server.receive(3_000);
  await server.send(5_000);
  await client.receive(5_000);
}

/** The client closes, the server reads the end and closes too. */
export async function closeInTurn(t: Truth, { client, server }: Pair, fields: Fields = {}): Promise<void> {
  await client.close();
  await server.receive(1);
  await server.close();
  t.closed(client, 'closed_local', { fields: { state: 'fin_wait_2', ...fields } });
  t.closed(server, 'closed_peer', { fields: { state: 'last_ack', ...fields } });
}

/** Ports that nobody listens on: below those that are given out. */
export const CLOSED = 1_001;
export const CLOSED_TOO = 1_002;

/** Connects and sees that it fails as it must. The socket forgets its address then: it is told here. */
export async function fails(
  socket: Socket,
  peer: { address: string; port: number },
  wanted: number,
  local?: string,
) {
  const { errno } = await socket.connect(peer);
  if (errno !== wanted) throw new Error(`connect: errno ${errno}, not ${wanted}`);
  socket.life.local = { address: local ?? peer.address, port: socket.life.local.port };
}

/** Waits until the socket's TCP_INFO is so. */
export async function whenInfo(socket: Socket, is: (info: TcpInfo) => boolean): Promise<TcpInfo> {
  return await until('TCP_INFO to say so', async () => {
    const info = await socket.info();
    return is(info) && info;
  });
}

/** Polls in a row that see the same: longer than an acknowledgement may be delayed. */
const SAME_POLLS = 5;

/** Nothing is on its way: what was sent is acknowledged on both sides, and no acknowledgement is still delayed. */
export async function quiet(...sockets: readonly Socket[]): Promise<void> {
  let before = '';
  let same = 0;
  await until('both ends to be quiet', async () => {
    const infos = await Promise.all(sockets.map((socket) => socket.info()));
    const now = infos.map(({ segs_in, segs_out, unacked }) => `${segs_in} ${segs_out} ${unacked}`).join();
    same = now === before && infos.every((info) => info['unacked'] === 0) ? same + 1 : 0;
    before = now;
    return same >= SAME_POLLS;
  });
}

/** Kills the process, and with it these sockets. */
export async function killed(actor: Actor, ...sockets: readonly Socket[]): Promise<void> {
  const before = now() - 1_000;
  await actor.kill();
  for (const { life } of sockets) {
    life.end = { before, after: now() };
    life.closer ??= actor.process;
  }
}

/** Of a process that may have gone before /proc was asked: only its namespace is nobody else's to tell. */
export const ofGone = ({ network_namespace }: Process): Fields => ({
  process_network_namespace: oneOf(0, network_namespace),
});

/** Drops what the rule matches on its way in, or out; replaces the rule before. Matches are nft(8)'s words. */
export async function drop(network: Network, hook: 'input' | 'output', match: string): Promise<void> {
  await pass(network);
  await network.run('nft add table inet truth');
  await network.run(`nft add chain inet truth drops { type filter hook ${hook} priority 0 ; }`);
  await network.run(`nft add rule inet truth drops meta l4proto tcp ${match}`);
}

/** Lets everything pass again. */
export async function pass(network: Network): Promise<void> {
  await network.run('nft delete table inet truth').catch(() => {});
}
