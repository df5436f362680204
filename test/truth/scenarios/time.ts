/** Connections that last, and those that are older than the agent. */
import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast, between, derived, oneOf } from '../check.ts';
import { inside, now } from '../clock.ts';
import { infoFields } from '../frozen.ts';
import { lifeFields } from '../life-fields.ts';
import { ECONNRESET } from '../linux.ts';
import { ownerFields, ownerOfOpen } from '../owner-fields.ts';
import { closeInTurn, exchange, exchanged, quiet } from '../play.ts';
import { isKind, some } from '../rows-of.ts';
import { type Scenario, scenario } from '../scenario.ts';
import type { Socket } from '../socket.ts';
import type { Network, Pair, Truth } from '../truth.ts';

async function linked(
  t: Truth,
  port?: number,
): Promise<Pair & { readonly near: Network; readonly far: Network }> {
  const [near, far] = await t.link();
  const pair = await t.pair(await near.actor(), await far.actor(), {
    at: far.ipv4,
    ...(port === undefined ? {} : { port }),
  });
  return { ...pair, near, far };
}

/** A row of each end with the counters as they are now that all is quiet. */
async function expectUpdates(
  t: Truth,
  { client, server, listener, near, far }: Awaited<ReturnType<typeof linked>>,
): Promise<void> {
  await quiet(client, server);
  for (const [end, network] of [
    [client, near],
    [server, far],
  ] as const) {
    const info = await end.info();
    await t.seen(
      network,
      'an update with the last counters',
      (row) => isKind('update', end)(row) && row['segs_in'] === info['segs_in'],
    );
    const { life } = end;
    const same = {
      ...lifeFields(life, listener.listening),
      ts: inside({ before: life.start.before, after: now() }),
      state: 'established',
      connections: 0,
      errno: 0,
      verdict: 'unknown',
      local_drop_bytes: 0,
      // It is told at the end.
      congestion_control: derived('', () => life.congestionControl ?? '(not told)'),
    };
    t.expect({
      kind: 'update',
      namespace: network.inode,
      key: { socket_cookie: end.cookie, segs_in: info['segs_in'] ?? 0 },
      least: 1,
      most: 1,
      fields: {
        ...same,
        ...infoFields(info),
        bytes_sent: life.sent,
        bytes_delivered: life.sent,
        bytes_unsent: 0,
        bytes_received: life.received,
        bytes_unread: 0,
      },
    });
    // As many as there were on the way there, and on a slow machine on the way to its end.
    const onTheWay = {
      ...same,
      ...ownerOfOpen(life, listener.listening),
      ts: atLeast(life.start.before),
      state: oneOf('established', 'fin_wait_1', 'fin_wait_2', 'close_wait', 'last_ack'),
      bytes_sent: between(0, life.sent),
    };
    t.expect(some('update', network, end, onTheWay));
  }
}

export const TIME: readonly Scenario[] = [
  scenario('long_idle', 'a connection that idles for seconds has one open, while it lasts', async (t) => {
    const { near, far, ...pair } = await linked(t);
    await exchange(pair);
    await quiet(pair.client, pair.server);
    await t.seen(near, 'the open of the client', isKind('open', pair.client));
    await t.seen(far, 'the open of the server', isKind('open', pair.server));
    await closeInTurn(t, pair);
  }),

  scenario('long_busy', 'a connection that talks for two seconds has one open', async (t) => {
    const { near: _near, far: _far, ...pair } = await linked(t);
    for (let turn = 0; turn < 20; turn++) {
      await exchange(pair);
      await sleep(100);
    }
    await closeInTurn(t, pair);
  }),

  scenario(
    'closed_after_a_second',
    'a connection is idle, and closed soon after its first second',
    async (t) => {
      const { near: _near, far: _far, ...pair } = await linked(t);
      await exchange(pair);
      await quiet(pair.client, pair.server);
      await sleep(1_200);
      await closeInTurn(t, pair);
    },
  ),

  scenario('closed_within_a_second', 'a connection that lives 0.7 s has no open', async (t) => {
    const { client, server } = await exchanged(t, '127.0.0.1');
    await sleep(700);
    // By a reset: it is sure to be over when the call is.
    await client.close('abort');
    await server.receive(1);
    await server.close();
    t.closed(client, 'reset_sent', { isAtCall: true });
    t.reset(client, 'sent', { isAtCall: true, fields: { reset_reason: 'tcp_state' } });
    t.closed(server, 'reset_received', { cause: client, fields: { errno: ECONNRESET } });
    t.reset(server, 'received', { cause: client });
  }),

  scenario('opens_at_once', 'openHoldMs 0: every connection has an open', async (t) => {
    await t.watchClosely();
    const { near: _near, far, ...pair } = await linked(t);
    await exchange(pair);
    await closeInTurn(t, pair);
    for (const end of [pair.client, pair.server]) t.anyUpdate(end);
    t.anyListener(far);
  }),

  scenario('updates', 'updateMs 200: rows of a live connection with its counters so far', async (t) => {
    await t.watchClosely();
    const pair = await linked(t);
    await exchange(pair);
    await expectUpdates(t, pair);
    await pair.client.send(40_000);
    await pair.server.receive(40_000);
    await expectUpdates(t, pair);
    await closeInTurn(t, pair);
    t.anyListener(pair.far);
  }),

  {
    startsAgent: true,
    ...scenario('older_than_agent', 'listeners and connections are older than the agent', async (t) => {
      const whole = await linked(t);
      await exchange(whole);
      const orphan = await linked(t);
      await exchange(orphan);
      await orphan.listener.close();
      const listening = await linked(t);
      await listening.client.close('abort');
      await listening.server.close();
      await quiet(whole.client, whole.server, orphan.client, orphan.server);
      await t.watchFromNow();
      for (const { far, listener } of [whole, listening])
        await t.seen(far, 'the older listener to be told', isKind('listener', listener));
      // A connection that goes on, one whose listener is gone, and a new one of an older listener.
      await whole.client.send(1_000);
      await whole.server.receive(1_000);
      await whole.server.send(2_000);
      await whole.client.receive(2_000);
      for (const { client, server } of [whole, orphan]) {
        await client.close();
        await server.receive(1);
        await server.close();
        // Its beginning is not known, and so not told.
        const older = ({ life }: Socket) => ({ ...life, established: undefined });
        for (const end of [client, server]) t.anyUpdate(end);
        t.closed(older(client), 'closed_local', { about: OLDER });
        t.closed(older(server), 'closed_peer', { about: OLDER });
      }
      const client = await (await listening.near.actor()).socket();
      const { listener } = listening;
      await client.connect({ address: listening.far.ipv4, port: listener.listening?.local.port ?? 0 });
      const pair = { client, listener, server: await t.accept(listener, client) };
      await exchange(pair);
      await closeInTurn(t, pair);
      for (const { far, listener } of [whole, listening]) expectOlderListener(t, far, listener);
    }),
  },
];

/** What nobody can know of a connection that was there before. */
const OLDER = {
  counters_since: 'scan',
  start_ts: 0,
  duration_us: 0,
  owner_source: oneOf('scan', 'first_io', 'close'),
} as const;

/** It is told once, with its health, and when it goes. */
function expectOlderListener(t: Truth, network: Network, { listening }: Socket): void {
  if (!listening) throw new Error('not a listener');
  const fields = {
    ...ownerFields(listening.process, 'scan'),
    local_port: listening.local.port,
    accept_queue: atLeast(0),
    accept_queue_max: listening.backlog,
    role: 'server',
  };
  for (const kind of ['listener', 'unlisten'])
    t.row(kind, network, { key: { socket_cookie: listening.cookie }, fields });
}
