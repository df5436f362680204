/** What a scenario has: namespaces, actors in them, and the rows it says must come of it. */
import type { Actor, Stage } from './actor.ts';
import type { Wanted } from './check.ts';
import type { Expectation, Fields } from './expected.ts';
import type { Network } from './network.ts';
import type { Process } from './reply.ts';
import type { Row, Value } from './rows.ts';
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
  /** Which retransmissions there were, asked when all is over; any without it. They still sum up to the kernel's. */
  readonly retransmits?: () => readonly RetransmitRows[];
}

export interface RetransmitRows {
  readonly fields: Fields;
  readonly least: number;
  readonly most: number;
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
  /** A reset sent by `local`, where no socket has such a connection, to `peer`. */
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
  /** What listens at `local`; absent: nothing. */
  readonly listener?: Listening;
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

export type { Actor, Endpoint, Fields, Life, Network, Process, Socket };
