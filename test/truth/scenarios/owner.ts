/** Whose a connection is, however a program shares its work. */
import { until } from '../../harness/until.ts';
import type { Actor } from '../actor.ts';
import { SO_REUSEPORT } from '../linux.ts';
import { ownerFields } from '../owner-fields.ts';
import { closeInTurn, exchange, ofGone } from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Socket } from '../socket.ts';

async function localClient(listener: Socket, actor: Actor): Promise<Socket> {
  const client = await actor.socket();
  const { errno } = await client.connect({ address: '127.0.0.1', port: listener.listening?.local.port ?? 0 });
  if (errno !== 0) throw new Error(`connect: errno ${errno}`);
  return client;
}

/** nobody:nogroup of every system. */
const NOBODY = 65_534;

export const OWNER: readonly Scenario[] = [
  scenario('prefork', 'two children accept from the listener of their parent', async (t) => {
    const network = await t.network();
    const [parent, user] = [await network.actor(), await network.actor()];
    const listener = await t.listen(parent, '127.0.0.1');
    for (const child of [await parent.fork(), await parent.fork()]) {
      const client = await localClient(listener, user);
      const server = await t.accept(child.share(listener), client);
      await exchange({ client, server, listener });
      await closeInTurn(t, { client, server, listener });
    }
  }),

  scenario('reuseport_workers', 'two processes listen on one port with SO_REUSEPORT', async (t) => {
    const network = await t.network();
    const workers = [await network.actor(), await network.actor()];
    const user = await network.actor();
    const listeners: Socket[] = [];
    for (const worker of workers) {
      const options = { port: 2_000, prepare: async (made: Socket) => await made.set(SO_REUSEPORT, 1) };
      listeners.push(await t.listen(worker, '127.0.0.1', options));
    }
    const taken = new Set<Socket>();
    // The kernel chooses by a hash of the ports: until both have had one.
    for (let turn = 0; turn < 30 && taken.size < 2; turn++) {
      const client = await user.socket();
      await client.connect({ address: '127.0.0.1', port: 2_000 });
      const listener = await until('one of them to be asked', async () => {
        for (const [index, one] of listeners.entries())
          if ((await workers[index]?.ask(`wait ${one.fd} in 0`))?.ready === 1) return one;
        return undefined;
      });
      taken.add(listener);
      const server = await t.accept(listener, client);
      await exchange({ client, server, listener });
      await closeInTurn(t, { client, server, listener });
    }
    if (taken.size < 2) throw new Error('one of the listeners was never asked');
  }),

  scenario(
    'fd_passed',
    'one process accepts and hands the socket to another over a Unix socket',
    async (t) => {
      const network = await t.network();
      const [acceptor, user] = [await network.actor(), await network.actor()];
      const listener = await t.listen(acceptor, '127.0.0.1');
      const { one, other } = await acceptor.ask('pair');
      const worker = await acceptor.fork();
      const client = await localClient(listener, user);
      const accepted = await t.accept(listener, client);
      await acceptor.must(`pass ${one} ${accepted.fd}`);
      const { fd } = await worker.ask(`take ${other}`);
      const server = worker.share(accepted, fd);
      // The acceptor's copy: nothing happens to the connection.
      await acceptor.ask(`close ${accepted.fd}`);
      await exchange({ client, server, listener });
      await closeInTurn(t, { client, server, listener });
    },
  ),

  scenario('fork_after_accept', 'the parent accepts, a child serves', async (t) => {
    const network = await t.network();
    const [parent, user] = [await network.actor(), await network.actor()];
    const listener = await t.listen(parent, '127.0.0.1');
    const client = await localClient(listener, user);
    const accepted = await t.accept(listener, client);
    const child = await parent.fork();
    await parent.ask(`close ${accepted.fd}`);
    const server = child.share(accepted);
    await exchange({ client, server, listener });
    await closeInTurn(t, { client, server, listener });
  }),

  scenario('client_shared', 'a child uses the connection that its parent made', async (t) => {
    const network = await t.network();
    const parent = await network.actor();
    const pair = await t.pair(parent, await network.actor());
    const child = await parent.fork();
    await parent.ask(`close ${pair.client.fd}`);
    const client = child.share(pair.client);
    await exchange({ ...pair, client });
    await closeInTurn(t, { ...pair, client });
  }),

  scenario(
    'socket_activation',
    'a listener made by one program is served by another after exec',
    async (t) => {
      const network = await t.network();
      const [manager, user] = [await network.actor(), await network.actor()];
      const listener = await t.listen(manager, '127.0.0.1');
      const service = await manager.fork();
      await service.exec(t.stage.understudy);
      const client = await localClient(listener, user);
      const server = await t.accept(service.share(listener), client);
      await exchange({ client, server, listener });
      await closeInTurn(t, { client, server, listener });
    },
  ),

  scenario('exec_after_connect', 'a program connects, then becomes another', async (t) => {
    const network = await t.network();
    const actor = await network.actor();
    const pair = await t.pair(actor, await network.actor());
    await actor.exec(t.stage.understudy);
    await exchange(pair);
    await closeInTurn(t, pair);
  }),

  scenario('threads', 'threads with names of their own connect and accept', async (t) => {
    const network = await t.network();
    const [serverActor, user] = [await network.actor(), await network.actor()];
    const listener = await t.listen(serverActor, '127.0.0.1');
    const client = await user.socket();
    await client.connect(
      { address: '127.0.0.1', port: listener.listening?.local.port ?? 0 },
      'thread connector connect',
    );
    const server = await t.accept(listener, client);
    await client.send(3_000, 'thread sender send');
    await server.receive(3_000, 'thread reader receive');
    await closeInTurn(t, { client, server, listener });
  }),

  scenario('other_user', 'the socket is made as root, used as nobody', async (t) => {
    const network = await t.network();
    const [serverActor, user] = [await network.actor(), await network.actor()];
    const listener = await t.listen(serverActor, '127.0.0.1');
    const client = await user.socket();
    await user.become(`setuid ${NOBODY}`);
    await client.connect({ address: '127.0.0.1', port: listener.listening?.local.port ?? 0 });
    const server = await t.accept(listener, client);
    await exchange({ client, server, listener });
    await closeInTurn(t, { client, server, listener });
    // Sockets that nobody makes are nobody's.
    const second = await localClient(listener, user);
    const again = await t.accept(listener, second);
    await exchange({ client: second, server: again, listener });
    await closeInTurn(t, { client: second, server: again, listener });
  }),

  scenario('gone_at_once', 'a process that lives for one connection only', async (t) => {
    const network = await t.network();
    const listener = await t.listen(await network.actor(), '127.0.0.1');
    for (let turn = 0; turn < 5; turn++) {
      const user = await network.actor(t.stage.understudy);
      const client = await localClient(listener, user);
      await client.send(100);
      const server = await t.accept(listener, client);
      await server.receive(100);
      await client.close();
      await user.end();
      await server.receive(1);
      await server.close();
      t.closed(client, 'closed_local', { about: ofGone(user.process) });
      t.closed(server, 'closed_peer');
    }
  }),

  scenario('only_closed', 'a server that accepts and closes, and never reads or writes', async (t) => {
    const network = await t.network();
    const pair = await t.pair(await network.actor(), await network.actor());
    const { client, server } = pair;
    await server.close();
    await client.receive(1);
    await client.close();
    t.closed(server, 'closed_local', {
      fields: ownerFields(server.life.closer ?? server.life.maker, 'close'),
    });
    t.closed(client, 'closed_peer');
  }),
];
