/** Whose a connection is, however a program shares its work. */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { until } from '../../harness/until.ts';
import type { Actor } from '../actor.ts';
import { atLeast, oneOf } from '../check.ts';
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

  scenario('container', 'a process in the cgroup of a container and a pod', ['cgroup2'], async (t) => {
    const network = await t.network();
    const actor = await network.actor();
    const pod = 'pod0a1b2c3d-1111-2222-3333-444455556666';
    const container = 'c0ffee'.repeat(11).slice(0, 64);
    const folders = [`${t.stage.cgroup}/${pod}`, `${t.stage.cgroup}/${pod}/${container}`];
    for (const folder of folders) mkdirSync(folder);
    writeFileSync(`${folders[1]}/cgroup.procs`, String(actor.process.pid));
    const pair = await t.pair(actor, await network.actor());
    await exchange(pair);
    const { client, server } = pair;
    await client.close();
    await server.receive(1);
    await server.close();
    const path = `${t.stage.cgroupPath}/${pod}/${container}`;
    t.closed(client, 'closed_local', {
      about: {
        cgroup_path: path,
        cgroup_id: atLeast(1),
        socket_cgroup_id: atLeast(1),
        container_id: container,
        pod_uid: pod.slice(3),
      },
    });
    t.closed(server, 'closed_peer', { about: { container_id: '', pod_uid: '' } });
    t.after(() => {
      for (const folder of folders.toReversed()) rmdirSync(folder);
    });
  }),

  ...(['', ' async'] as const).map((mode) =>
    scenario(
      mode === '' ? 'io_uring' : 'io_uring_async',
      `connect, accept, send and receive through io_uring${mode === '' ? '' : ', made by its workers'}`,
      ['io_uring'],
      async (t) => {
        const network = await t.network();
        const [serverActor, user] = [await network.actor(), await network.actor()];
        const listener = await t.listen(serverActor, '127.0.0.1');
        const client = await user.socket();
        const { errno } = await client.connect(
          { address: '127.0.0.1', port: listener.listening?.local.port ?? 0 },
          `uring_connect${mode}`,
        );
        if (errno !== 0) throw new Error(`connect: errno ${errno}`);
        const accepted = await listener.accept(`uring_accept${mode}`);
        const server = t.known(accepted, listener, client);
        await client.send(3_000, `uring_send${mode}`);
        await server.receive(3_000, `uring_receive${mode}`);
        await server.send(5_000, `uring_send${mode}`);
        await client.receive(5_000, `uring_receive${mode}`);
        await closeInTurn(t, { client, server, listener });
      },
    ),
  ),

  scenario('mptcp', 'a Multipath TCP connection of one subflow', ['mptcp'], async (t) => {
    const network = await t.network();
    const [user, serverActor] = [await network.actor(), await network.actor()];
    const pair = await t.pair(user, serverActor, { protocol: 'mptcp', isListed: false });
    await exchange(pair);
    const { client, server, listener } = pair;
    await client.close();
    await server.receive(1);
    await server.close();
    const verdict = oneOf('closed_local', 'closed_peer', 'closed_both');
    // The connection is the subflow's; the socket that the program has is above it, with a cookie of its own.
    for (const [end, source] of [
      [client, 'connect'],
      [server, oneOf('first_io', 'close', 'listener')],
    ] as const) {
      const { local, peer } = end.life;
      t.closed(end, verdict, {
        key: { local_port: local.port, peer_port: peer.port },
        about: { socket_cookie: atLeast(1), mptcp_subflow: true, handshake_us: atLeast(1) },
        fields: { owner_source: source, ts: atLeast(end.life.start.before) },
      });
    }
    for (const kind of ['listen', 'unlisten']) {
      t.row(kind, network, {
        key: { local_port: listener.listening?.local.port ?? 0 },
        fields: { socket_cookie: atLeast(1), ...ownerFields(serverActor.process, 'listener') },
      });
    }
  }),

  scenario(
    'kernel_thread',
    'a second subflow, which a thread of the kernel connects',
    ['mptcp', 'mptcp_endpoint'],
    async (t) => {
      const [near, far] = await t.link();
      await near.steward.must('address link 10.9.0.77 24');
      for (const { run } of [near, far]) await run('ip mptcp limits set subflow 2 add_addr_accepted 2');
      await near.run('ip mptcp endpoint add 10.9.0.77 dev link subflow');
      const [user, serverActor] = [await near.actor(), await far.actor()];
      const pair = await t.pair(user, serverActor, { protocol: 'mptcp', isListed: false, at: far.ipv4 });
      await exchange(pair);
      const { client, server, listener } = pair;
      await until('the second subflow', () => near.proc('tcp').includes('4D00090A:'));
      await client.close();
      await server.receive(1);
      await server.close();
      const port = listener.listening?.local.port ?? 0;
      const verdict = oneOf('closed_local', 'closed_peer', 'closed_both', 'reset_sent', 'reset_received');
      for (const [network, role, ports] of [
        [near, 'client', { peer_port: port }],
        [far, 'server', { local_port: port }],
      ] as const) {
        for (const isSecond of [false, true]) {
          const { life } = role === 'client' ? client : server;
          const first = { local_port: life.local.port, peer_port: life.peer.port };
          t.row('close', network, {
            key: isSecond
              ? { ...ports, [role === 'client' ? 'local_address' : 'peer_address']: SECOND }
              : first,
            fields: {
              role,
              verdict,
              mptcp_subflow: true,
              late: false,
              ...(role === 'client' && isSecond
                ? { owner_source: 'socket', pid: 0, comm: '', executable: '' }
                : { pid: (role === 'client' ? user : serverActor).process.pid }),
            },
          });
        }
      }
      for (const kind of ['listen', 'unlisten']) {
        t.row(kind, far, {
          key: { local_port: port },
          fields: ownerFields(serverActor.process, 'listener'),
        });
      }
      t.anyReset(near);
      t.anyReset(far);
    },
  ),
];

const SECOND = `${'0'.repeat(20)}ffff0a09004d`;
