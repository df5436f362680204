/** Multipath TCP: the connection is the subflow's, the program's socket is above it. */
import { until } from '../../harness/until.ts';
import { addressDigits } from '../address.ts';
import { atLeast, number, oneOf, sameAs } from '../check.ts';
import { inside, now } from '../clock.ts';
import type { Fields } from '../expected.ts';
import { ownerFields } from '../owner-fields.ts';
import { exchange } from '../play.ts';
import { type Scenario, scenario } from '../scenario.ts';

const SECOND_ADDRESS = '10.9.0.77';
const SECOND = addressDigits(SECOND_ADDRESS);
/** A subflow may outlive the program's socket. */
const CLOSED_WITHIN_US = 30_000_000;

function ends(role: 'client' | 'server', client: string, server: string): Fields {
  const [local, peer] = role === 'client' ? [client, server] : [server, client];
  return { local_address: addressDigits(local), peer_address: addressDigits(peer) };
}

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
      // On a slow machine the subflows live more than a second, and no actor tells of the second.
      for (const network of [near, far]) t.anyOpen(network);
      await near.steward.must(`address link ${SECOND_ADDRESS} 24`);
      for (const { run } of [near, far]) await run('ip mptcp limits set subflow 2 add_addr_accepted 2');
      await near.run(`ip mptcp endpoint add ${SECOND_ADDRESS} dev link subflow`);
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
      const since = { before: client.life.start.before, after: client.life.end?.before ?? 0 };
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
              own: false,
              family: 'ipv4',
              socket_cookie: atLeast(1),
              generation: role === 'client' ? 1 : 0,
              ...ends(role, isSecond ? SECOND_ADDRESS : near.ipv4, far.ipv4),
              [role === 'client' ? 'peer_port' : 'local_port']: port,
              counters_since: 'birth',
              start_ts: inside(since),
              established_ts: inside(since),
              duration_us: sameAs('ts - start_ts', (row) => number(row, 'ts') - number(row, 'start_ts'), 2),
              ts: inside({ before: since.before, after: now() + CLOSED_WITHIN_US }),
              connections: 1,
              folded: 0,
              local_drop_bytes: 0,
              bytes_unsent: 0,
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
