/** Listeners: their queue, and what it drops. */
import { addressDigits } from '../address.ts';
import { between } from '../check.ts';
import { ownerFields } from '../owner-fields.ts';
import { closeInTurn, exchange } from '../play.ts';
import type { Row } from '../rows.ts';
import { isKind, some } from '../rows-of.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Socket } from '../socket.ts';

export const LISTENER: readonly Scenario[] = [
  scenario('listener_health', 'updateMs 200: the queue of a listener as it fills and empties', async (t) => {
    await t.watchClosely();
    const network = await t.network();
    const listener = await t.listen(await network.actor(), '127.0.0.1', { backlog: 7 });
    const user = await network.actor();
    const clients: Socket[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const client = await user.socket();
      await client.connect({ address: '127.0.0.1', port: listener.listening?.local.port ?? 0 });
      clients.push(client);
    }
    const isFull = (row: Row): boolean => isKind('listener', listener)(row) && row['accept_queue'] === 3;
    await t.seen(network, 'the full queue', isFull);
    const { listening } = listener;
    if (!listening) throw new Error('not a listener');
    t.expect({
      kind: 'listener',
      namespace: network.inode,
      key: { socket_cookie: listener.cookie, accept_queue: 3 },
      least: 1,
      most: 1,
      fields: {
        accept_queue_max: 7,
        listen_drops: 0,
        role: 'server',
        local_address: addressDigits('127.0.0.1'),
        local_port: listening.local.port,
        ...ownerFields(listening.process, 'listener'),
      },
    });
    t.expect(some('listener', network, listener, { accept_queue: between(0, 2), accept_queue_max: 7 }));
    for (const client of clients) {
      const server = await t.accept(listener, client);
      await exchange({ client, server, listener });
      await client.close();
      await server.receive(1);
      await server.close();
      t.closed(client, 'closed_local');
      t.closed(server, 'closed_peer');
      t.anyUpdate(client);
      t.anyUpdate(server);
    }
  }),

  scenario('listener_drops', 'updateMs 200: a full queue drops a SYN', async (t) => {
    await t.watchClosely();
    const network = await t.network();
    const listener = await t.listen(await network.actor(), '127.0.0.1', { backlog: 0 });
    const { listening } = listener;
    if (!listening) throw new Error('not a listener');
    const user = await network.actor();
    const [first, second] = [await user.socket(), await user.socket()];
    await first.connect(listening.local);
    await second.nonblocking();
    await second.connect(listening.local);
    await t.counted(network, 'ListenDrops', 1);
    await second.close();
    const drops = t.count(network, 'ListenDrops');
    const key = { socket_cookie: listener.cookie, accept_queue: 1, listen_drops: drops };
    await t.seen(
      network,
      'the drops',
      (row) => isKind('listener', listener)(row) && row['listen_drops'] === drops,
    );
    const fields = {
      ...ownerFields(listening.process, 'listener'),
      accept_queue_max: 0,
      role: 'server',
      local_address: addressDigits('127.0.0.1'),
      local_port: listening.local.port,
    };
    t.expect({ kind: 'listener', namespace: network.inode, key, least: 1, most: 1, fields });
    t.expect(some('listener', network, listener, { ...fields, listen_drops: between(0, drops) }));
    t.failed(second, 'cancelled', { isAtCall: true, fields: { state: 'syn_sent', errno: 0 } });
    const pair = { client: first, listener, server: await t.accept(listener, first) };
    await exchange(pair);
    await closeInTurn(t, pair);
    for (const end of [pair.client, pair.server]) t.anyUpdate(end);
    t.unlistened(listener, { listen_drops: drops });
  }),
];
