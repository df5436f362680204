/** Multipath TCP: the connection is the subflow's, the program's socket is above it. */
import { until } from '../../harness/until.ts';
import { atLeast, oneOf } from '../check.ts';
import { ownerFields } from '../owner-fields.ts';
import { exchange } from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';

const SECOND = `${'0'.repeat(20)}ffff0a09004d`;

export const MPTCP: readonly Scenario[] = [
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
