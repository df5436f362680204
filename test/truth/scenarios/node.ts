/** Programs of Node's own, with libuv between them and the sockets. */
import { join } from 'node:path';
import { until } from '../../harness/until.ts';
import type { Actor } from '../actor.ts';
import { addressDigits } from '../address.ts';
import { atLeast } from '../check.ts';
import { inside } from '../clock.ts';
import { ownerFields } from '../owner-fields.ts';
import type { Reply } from '../reply.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Network, Truth } from '../truth.ts';

const TALK = join(import.meta.dirname, '../programs/talk.ts');
const REQUESTS = [1, 3_000, 200_000];
/** Of node:net, when none is given. */
const BACKLOG = 511;

type Log = Reply & { readonly sent: number; readonly received: number };

function expectEnd(
  t: Truth,
  network: Network,
  { actor, log, role }: { readonly actor: Actor; readonly log: Log; readonly role: 'client' | 'server' },
): void {
  const isClient = role === 'client';
  t.row('close', network, {
    key: { local_port: log.local_port, peer_port: log.peer_port },
    fields: {
      ...ownerFields(actor.process, isClient ? 'connect' : 'first_io'),
      role,
      verdict: isClient ? 'closed_local' : 'closed_peer',
      late: false,
      socket_cookie: atLeast(1),
      generation: isClient ? 1 : 0,
      local_address: addressDigits(log.local_address),
      peer_address: addressDigits(log.peer_address),
      bytes_sent: log.sent,
      bytes_delivered: log.sent,
      bytes_received: log.received,
      bytes_unread: 0,
      bytes_unsent: 0,
      errno: 0,
      established_ts: inside({ before: log.before - 10_000_000, after: log.after }),
      ts: inside({ before: log.before, after: log.after + 10_000_000 }),
    },
  });
}

export const NODE: readonly Scenario[] = [
  scenario('node_net', 'client and server are TypeScript programs over node:net', async (t) => {
    const network = await t.network();
    const [serverActor, user] = [await network.actor(), await network.actor()];
    for (const actor of [serverActor, user]) await actor.exec(`${process.execPath} ${TALK}`);
    const { local_port: port } = await serverActor.ask('serve');
    for (const count of REQUESTS) await user.ask(`request ${port} ${count}`);
    const logs: Log[] = [];
    await until('the server to have seen all of them close', async () => {
      const { sockets } = await serverActor.ask('ended');
      logs.push(...(sockets as readonly Log[]));
      return logs.length >= REQUESTS.length;
    });
    for (const log of logs) expectEnd(t, network, { actor: serverActor, log, role: 'server' });
    const { sockets } = await user.ask('ended');
    for (const log of sockets as readonly Log[]) expectEnd(t, network, { actor: user, log, role: 'client' });
    for (const kind of ['listen', 'unlisten']) {
      t.row(kind, network, {
        key: { local_port: port },
        fields: { ...ownerFields(serverActor.process, 'listener'), accept_queue_max: BACKLOG, late: false },
      });
    }
    t.anyOpen(network);
    t.anyRetransmit(network);
  }),
];
