/** Runs what scenarios ask for: makes namespaces and actors, keeps the book, waits for the end. */
import { until } from '../harness/until.ts';
import type { Actor, Stage } from './actor.ts';
import { createBook, lifeOf, type Told, whole } from './book.ts';
import { now } from './clock.ts';
import { closeRow, failRow } from './connection-rows.ts';
import { type Expectation, isRow } from './expected.ts';
import { RowNeverCame } from './failure.ts';
import { createNetwork, joinNetworks, type Network } from './network.ts';
import type { Process } from './reply.ts';
import { listenerResetRow, resetRow, strayResetRow } from './reset-rows.ts';
import type { Row, Rows } from './rows.ts';
import { hasSocket, readSnmp, type Snmp, socketsLeft } from './snmp.ts';
import type { Life, Socket } from './socket.ts';
import type { RowOptions, Truth } from './truth.ts';

export interface Finished {
  readonly expectations: readonly Expectation[];
  readonly networks: readonly {
    readonly inode: number;
    readonly sinceUs: number;
    readonly snmp: Snmp | undefined;
  }[];
  readonly processes: readonly Process[];
  readonly rows: Rows;
}

export interface TruthDeps {
  readonly stage: Stage;
  readonly rows: Rows;
  readonly startAgent: (config: object) => Promise<Rows>;
  readonly sharedAgent: (config: object) => Promise<Rows>;
}

const QUIET_MS_MAX = 25_000;
const TOLD_MS_MAX = 20_000;

/** Of the agent that tells every open at once, and updates soon. */
export const CLOSE_WATCH = { events: { openHoldMs: 0, updateMs: 200 } };

export function createTruth(deps: TruthDeps): { truth: Truth; finish(isFailed: boolean): Promise<Finished> } {
  const actors: Actor[] = [];
  const networks: Network[] = [];
  const undos: (() => void)[] = [];
  const startUs = now() - 1_000;
  const book = createBook();
  let rows = deps.rows;
  let isWhole = true;
  /** The agent's hold, as configured. µs. */
  let holdUs = 1_000_000;

  const any = (kind: string, namespace: number, key: Expectation['key'] = {}): void => {
    book.expect({ kind, namespace, key, fields: { late: false }, least: 0, most: Number.POSITIVE_INFINITY });
  };
  const end =
    (row: Told): Truth['closed'] =>
    (socket, verdict, options = {}) => {
      book.ended(row, socket, { ...options, isWhole: true, fields: { verdict, ...options.fields } });
    };

  const truth: Truth = {
    stage: deps.stage,
    async network() {
      const network = await createNetwork(deps.stage, actors);
      networks.push(network);
      rows.watch(network.inode, network.sinceUs);
      return network;
    },
    async link() {
      return await joinNetworks(await truth.network(), await truth.network());
    },
    async listen(actor, address, { family, protocol, isListed = true, prepare, ...options } = {}) {
      const listener = await actor.socket(family ?? (address.includes(':') ? 'ipv6' : 'ipv4'), protocol);
      await prepare?.(listener);
      await listener.listen(address, options);
      if (listener.listening && isListed) book.listened(listener.listening);
      return listener;
    },
    async accept(listener, client) {
      const server = await listener.accept();
      return known(server, listener, client);
    },
    known,
    after: (undo) => undos.push(undo),
    anyReset: ({ inode }) => any('reset', inode),
    anyRetransmit: ({ inode }) => any('retransmit', inode),
    anyOpen: ({ inode }) => any('open', inode),
    anyListener: ({ inode }) => any('listener', inode),
    anyUpdate: ({ life }) => any('update', life.maker.network_namespace, { socket_cookie: life.cookie }),
    async pair(clientActor, serverActor, options = {}) {
      const { at = '127.0.0.1', address = at, before, ...listen } = options;
      const listener = await truth.listen(serverActor, at, listen);
      const family = address.includes(':') ? 'ipv6' : 'ipv4';
      const client = await clientActor.socket(family, options.protocol);
      await before?.(client);
      const { errno } = await client.connect({ address, port: listener.listening?.local.port ?? 0 });
      if (errno !== 0) throw new Error(`connect: errno ${errno}`);
      return { client, server: await truth.accept(listener, client), listener };
    },
    closed: end(whole(closeRow)),
    failed: end(whole(failRow)),
    reset(socket: Socket | Life, direction: 'sent' | 'received', options: RowOptions = {}) {
      book.ended((ended) => [resetRow(ended, direction)], socket, { ...options, isWhole: false });
    },
    strayReset({ inode }, local, peer, { family = 'ipv4', least = 1, most = 1, listener } = {}) {
      book.later((endUs) => {
        const stray = { namespace: inode, ts: { before: startUs, after: endUs }, family };
        const ends = [local, peer] as const;
        const row = listener ? listenerResetRow(ends, stray, listener) : strayResetRow(ends, stray);
        return { ...row, least, most };
      });
    },
    async gone(socket) {
      const life = lifeOf(socket);
      const network = networks.find(({ inode }) => inode === life.maker.network_namespace);
      if (!network) throw new Error('no such network');
      const { local, peer } = life;
      await until('the socket to be gone', () => !hasSocket(network, local.port, peer.port), QUIET_MS_MAX);
    },
    unlistened: (listener, fields) => book.unlistened(listener.cookie, fields),
    row(kind, in_, { key, fields }) {
      book.expect({ kind, namespace: in_.inode, key, fields, least: 1, most: 1 });
    },
    expect: book.expect,
    async watchClosely() {
      rows = await deps.sharedAgent(CLOSE_WATCH);
      holdUs = 0;
    },
    async watchFromNow() {
      // What is older is told once, at the first look at it.
      rows = await deps.startAgent({ events: { openHoldMs: 1_000, updateMs: 60_000 } });
      for (const { inode, sinceUs } of networks) rows.watch(inode, sinceUs);
      isWhole = false;
      // They are older than it: what it tells of them is the scenario's to say.
      book.forgetListeners();
    },
    seen: (network, what, is) =>
      until(
        what,
        () => {
          rows.poll();
          return rows.of(network.inode).find(is);
        },
        QUIET_MS_MAX,
      ).catch((cause: Error) => {
        throw new RowNeverCame(cause.message, { cause });
      }),
    count: (network, counter) => readSnmp(network)[counter] ?? 0,
    async alone(network, sockets) {
      await until('the other sockets to be gone', () => socketsLeft(network) <= sockets, QUIET_MS_MAX);
    },
    async counted(network, counter, least) {
      await until(
        `${counter} to be ${least}`,
        () => (readSnmp(network)[counter] ?? 0) >= least,
        QUIET_MS_MAX,
      );
    },
  };

  /** A server's connection began when its client connected. */
  function known(server: Socket, listener: Socket, client: Socket | undefined): Socket {
    if (listener.listening) book.accepted(server, listener.listening);
    if (client) {
      const since = { before: client.life.start.before, after: server.life.start.after };
      Object.assign(server.life, { start: since, established: since });
    }
    return server;
  }

  return {
    truth,
    /** Ends the actors and waits until nothing of TCP is left but TIME_WAIT. */
    async finish(isFailed) {
      try {
        return await settle(isFailed);
      } finally {
        await Promise.all(actors.map((actor) => actor.end(true)));
        for (const undo of undos) undo();
      }
    },
  };

  async function settle(isFailed: boolean): Promise<Finished> {
    // The agent asks /proc about processes: they stay until it has.
    if (!isFailed) await until('the rows to come', isTold, TOLD_MS_MAX).catch(() => {});
    const stewards = new Set(networks.map(({ steward }) => steward));
    const players = actors.filter((actor) => !stewards.has(actor));
    await Promise.all(players.map((actor) => actor.end(isFailed)));
    for (const network of networks)
      await until('the sockets to be gone', () => socketsLeft(network) === 0, QUIET_MS_MAX);
    const endUs = now();
    const counted = new Map(networks.map((network) => [network.inode, readSnmp(network)]));
    const resetsSent = (namespace: number): number => counted.get(namespace)?.['OutRsts'] ?? 0;
    return {
      expectations: book.expectations({ endUs, holdUs, resetsSent }),
      networks: networks.map(({ inode, sinceUs }) => ({
        inode,
        sinceUs,
        snmp: isWhole ? counted.get(inode) : undefined,
      })),
      processes: actors.map(({ process }) => process),
      rows,
    };
  }

  /** What needs no actor's end to happen has come. */
  function isTold(): boolean {
    rows.poll();
    return book
      .expectations({ endUs: now(), holdUs, resetsSent: () => 0 })
      .filter(({ kind, least }) => least > 0 && kind !== 'unlisten')
      .every((expectation) => rows.of(expectation.namespace).some((row: Row) => isRow(row, expectation)));
  }
}
