/** What a scenario has: namespaces, actors in them, and the rows it says must come of it. */
import { until } from '../harness/until.ts';
import type { Actor, Stage } from './actor.ts';
import type { Wanted } from './check.ts';
import { now } from './clock.ts';
import {
  closeRow,
  type Ended,
  type Expectation,
  type Fields,
  failRow,
  isRow,
  lateResetRows,
  listenRows,
  openRow,
  resetRow,
  retransmitRows,
  strayResetRow,
} from './expected.ts';
import { createNetwork, joinNetworks, type Network } from './network.ts';
import type { Process } from './reply.ts';
import type { Row, Rows, Value } from './rows.ts';
import { hasSocket, readSnmp, type Snmp, socketsLeft } from './snmp.ts';
import type { Endpoint, Family, Life, Listening, Socket } from './socket.ts';

/** How rows are told to come; `ts` only where it is known better than from the end of the connection on. */
export interface RowOptions {
  readonly fields?: Fields;
  /** Of all rows of the connection. */
  readonly about?: Fields;
  /** The row happened during the call that ended the connection. */
  readonly isAtCall?: boolean;
  /** The socket whose end brought this one about. */
  readonly cause?: Socket | Life;
  /** Instead of cookie and generation. */
  readonly key?: Readonly<Record<string, Value>>;
}

export interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly listener: Socket;
}

export interface Truth {
  readonly stage: Stage;
  /** A namespace of its own. */
  network(): Promise<Network>;
  /** Two namespaces, joined. */
  link(): Promise<readonly [Network, Network]>;
  /** A connection from one actor to a new listener of another, accepted. */
  pair(client: Actor, server: Actor, options?: PairOptions): Promise<Pair>;
  /** The listener's rows are expected too. */
  listen(actor: Actor, address: string, options?: ListenOptions): Promise<Socket>;
  accept(listener: Socket, client?: Socket): Promise<Socket>;
  /** Tells of an accepted socket which listener and client it is of. */
  known(server: Socket, listener: Socket, client: Socket): Socket;
  /** Runs when the actors are gone. */
  after(undo: () => void): void;
  /** The connection ends with a `close` of this verdict; `fields` go over what its log says. */
  closed(socket: Socket | Life, verdict: Wanted, options?: RowOptions): void;
  failed(socket: Socket | Life, verdict: Wanted, options?: RowOptions): void;
  /** A reset of the connection, in its direction; those sent have the kernel's reason. */
  reset(socket: Socket | Life, direction: 'sent' | 'received', options?: RowOptions): void;
  /** A reset sent by `local`, where there is no socket, to `peer`. */
  strayReset(in_: Network, local: Endpoint, peer: Endpoint, options?: StrayOptions): void;
  /** Resolves when the kernel has no such socket any more, or only its TIME_WAIT. */
  gone(socket: Socket | Life): Promise<void>;
  /** Resets in that namespace are as they may be; they still sum up to the kernel's count. */
  anyReset(in_: Network): void;
  /** Health of listeners, and counters of a live connection, may be told any number of times. */
  anyListener(in_: Network): void;
  /** Where no actor tells of each connection how long it lived, and what was sent again. */
  anyOpen(in_: Network): void;
  anyRetransmit(in_: Network): void;
  anyUpdate(socket: Socket): void;
  /** Fields over those of the listener's `unlisten`. */
  unlistened(listener: Socket, fields: Fields): void;
  /** Any other row. Checks of `ts` are the caller's. */
  row(
    kind: string,
    in_: Network,
    row: { readonly key: Record<string, Value>; readonly fields: Fields },
  ): void;
  expect(expectation: Expectation): void;
  /** From now on rows come from an agent started now; the kernel's counters know more than it. */
  watchFromNow(): Promise<void>;
  /** Rows come from the agent that reports opens at once, and updates every 200 ms. Before any network is made. */
  watchClosely(): Promise<void>;
  /** Resolves with the row when the agent has spooled it. */
  seen(network: Network, what: string, is: (row: Row) => boolean): Promise<Row>;
  /** What the kernel has counted in the namespace. */
  count(network: Network, counter: string): number;
  /** Resolves when the namespace has no more sockets of TCP than that, half-open ones counted. */
  alone(network: Network, sockets: number): Promise<void>;
  /** Resolves when the kernel has counted that many in the namespace. */
  counted(network: Network, counter: string, least: number): Promise<void>;
}

export interface StrayOptions {
  readonly family?: Family;
  readonly least?: number;
  readonly most?: number;
}

export interface ListenOptions {
  readonly family?: Family;
  readonly port?: number;
  readonly backlog?: number;
  readonly protocol?: 'mptcp';
  /** Its rows are expected; they are when nothing is said. */
  readonly isListed?: boolean;
  /** Before it is bound. */
  readonly prepare?: (listener: Socket) => Promise<void>;
}

export interface PairOptions extends ListenOptions {
  /** Where the client connects to; the listener's address without it. */
  readonly address?: string;
  /** Where the server listens; the client's end of the link needs the server's. */
  readonly at?: string;
  readonly before?: (client: Socket) => Promise<void>;
}

export interface Finished {
  readonly expectations: readonly Expectation[];
  readonly networks: readonly { readonly inode: number; readonly snmp: Snmp | undefined }[];
  readonly rows: Rows;
}

export interface TruthDeps {
  readonly stage: Stage;
  readonly rows: Rows;
  readonly startAgent: (config: object) => Promise<Rows>;
  readonly sharedAgent: (config: object) => Promise<Rows>;
}

/** Makes the rows of a connection out of its end. */
type Told = (ended: Ended, holdUs: number) => readonly (Expectation | undefined)[];

interface Ending {
  readonly row: Told;
  readonly life: Life;
  readonly cause: Life | undefined;
  readonly fields: Fields;
  readonly options: Omit<RowOptions, 'fields' | 'cause'>;
}

const whole =
  (row: typeof closeRow): Told =>
  (ended, holdUs) => [row(ended), openRow(ended, holdUs), retransmitRows(ended), lateResetRows(ended)];

const QUIET_MS_MAX = 25_000;
const TOLD_MS_MAX = 20_000;

/** Of the agent that tells every open at once, and updates soon. */
export const CLOSE_WATCH = { events: { openHoldMs: 0, updateMs: 200 } };

export function createTruth(deps: TruthDeps): { truth: Truth; finish(isFailed: boolean): Promise<Finished> } {
  const actors: Actor[] = [];
  const networks: Network[] = [];
  const listeners: Listening[] = [];
  const endings: Ending[] = [];
  const strays: ((endUs: number) => Expectation)[] = [];
  const unlistens = new Map<number, Fields>();
  const undos: (() => void)[] = [];
  const startUs = now() - 1_000;
  const extra: Expectation[] = [];
  const listenerOf = new Map<number, Listening>();
  let rows = deps.rows;
  let isWhole = true;
  /** The agent's hold, as configured. µs. */
  let holdUs = 1_000_000;

  const lifeOf = (socket: Socket | Life): Life => ('life' in socket ? socket.life : socket);
  const any = (kind: string, namespace: number, key: Readonly<Record<string, Value>> = {}): void => {
    extra.push({ kind, namespace, key, fields: { late: false }, least: 0, most: Number.POSITIVE_INFINITY });
  };
  /** A socket may have another life by the end of the scenario. */
  const told = (row: Told, socket: Socket | Life, { fields = {}, cause, ...options }: RowOptions): void => {
    endings.push({ row, life: lifeOf(socket), cause: cause && lifeOf(cause), fields, options });
  };
  const end =
    (row: Told) =>
    (socket: Socket | Life, verdict: Wanted, options: RowOptions = {}) => {
      told(row, socket, { ...options, fields: { verdict, ...options.fields } });
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
      if (listener.listening && isListed) listeners.push(listener.listening);
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
    reset(socket, direction, options = {}) {
      const row: Told = (ended) => [resetRow(ended, direction)];
      told(row, socket, options);
    },
    strayReset({ inode }, local, peer, { family = 'ipv4', least = 1, most = 1 } = {}) {
      strays.push((endUs) => {
        const ts = { before: startUs, after: endUs };
        return { ...strayResetRow([local, peer], { namespace: inode, ts, family }), least, most };
      });
    },
    async gone(socket) {
      const life = lifeOf(socket);
      const network = networks.find(({ inode }) => inode === life.maker.network_namespace);
      if (!network) throw new Error('no such network');
      const { local, peer } = life;
      await until('the socket to be gone', () => !hasSocket(network, local.port, peer.port), QUIET_MS_MAX);
    },
    unlistened(listener, fields) {
      unlistens.set(listener.cookie, fields);
    },
    row(kind, in_, { key, fields }) {
      extra.push({ kind, namespace: in_.inode, key, fields, least: 1, most: 1 });
    },
    expect: (expectation) => extra.push(expectation),
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
      listeners.length = 0;
    },
    seen: (network, what, is) =>
      until(
        what,
        () => {
          rows.poll();
          return rows.of(network.inode).find(is);
        },
        QUIET_MS_MAX,
      ),
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
    const { listening } = listener;
    if (listening) listenerOf.set(server.cookie, listening);
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
    const counted = networks.map((network) => ({
      inode: network.inode,
      snmp: isWhole ? readSnmp(network) : undefined,
    }));
    return { expectations: expectations(endUs), networks: counted, rows };
  }

  /** What needs no actor's end to happen has come. */
  function isTold(): boolean {
    rows.poll();
    return expectations(now())
      .filter(({ kind, least }) => least > 0 && kind !== 'unlisten')
      .every((expectation) => rows.of(expectation.namespace).some((row) => isRow(row, expectation)));
  }

  function expectations(endUs: number): readonly Expectation[] {
    const rowsOfEnds = endings.flatMap(({ row, life, cause, fields, options }) => {
      const { before } = cause?.end ?? life.end ?? life.start;
      const ended: Ended = {
        life,
        namespace: life.maker.network_namespace,
        listener: listenerOf.get(life.cookie),
        ts: options.isAtCall && life.end ? life.end : { before, after: endUs },
        fields,
        about: options.about,
      };
      const rows = row(ended, holdUs).filter((one) => one !== undefined);
      const { key } = options;
      return key ? rows.map((one) => ('generation' in one.key ? { ...one, key } : one)) : rows;
    });
    const listens = listeners.flatMap((listening) =>
      listenRows(listening, {
        namespace: listening.process.network_namespace,
        end: endUs,
        unlisten: unlistens.get(listening.cookie) ?? {},
      }),
    );
    return [...rowsOfEnds, ...listens, ...strays.map((stray) => stray(endUs)), ...extra];
  }
}

export type { Actor, Endpoint, Fields, Life, Network, Process, Socket };
