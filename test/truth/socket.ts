/** One socket of an actor, and the log of what truly happened on it. */
import type { Actor } from './actor.ts';
import { EINPROGRESS } from './linux.ts';
import type { Reading } from './readings.ts';
import type { Bracket, Process, Reply, TcpInfo } from './reply.ts';

export type Family = 'ipv4' | 'ipv6';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** One connection, or attempt, as its own socket lived it. */
export interface Life {
  readonly role: 'client' | 'server';
  readonly generation: number;
  readonly family: Family;
  readonly cookie: number;
  /** Made the socket; for a server, its listener. */
  readonly maker: Process;
  /** Called connect; undefined for a server. */
  readonly opener: Process | undefined;
  start: Bracket;
  /** Undefined: never. */
  established: Bracket | undefined;
  /** TCP_INFO right after connect or accept succeeded, where the call told it. */
  born: TcpInfo | undefined;
  /** Every TCP_INFO of it, in order. */
  readings: Reading[];
  /** A handshake over which the kernel took no sample: answered by a cookie. */
  isUnmeasured?: true;
  local: Endpoint;
  peer: Endpoint;
  sent: number;
  received: number;
  /** Moved the first bytes through the socket. */
  firstIo: Process | undefined;
  /** Called close or shutdown first, or died with it. */
  closer: Process | undefined;
  /** From the first call that ends it on. */
  end: Bracket | undefined;
  /** As of the last moment before close. */
  info: TcpInfo | undefined;
  congestionControl: string | undefined;
}

export interface Listening {
  readonly cookie: number;
  readonly family: Family;
  readonly process: Process;
  readonly local: Endpoint;
  readonly backlog: number;
  readonly start: Bracket;
}

/** What all processes that have the socket know in common. */
interface Shared {
  readonly cookie: number;
  readonly family: Family;
  readonly maker: Process;
  generation: number;
  life: Life | undefined;
  listening: Listening | undefined;
}

export interface Socket {
  readonly fd: number;
  readonly cookie: number;
  /** The present or last connection; throws when there was none. */
  readonly life: Life;
  readonly listening: Listening | undefined;
  bind(address: string, port?: number): Promise<Reply>;
  /** Throws when it fails. */
  listen(address: string, options?: { readonly port?: number; readonly backlog?: number }): Promise<void>;
  /** Whatever comes of it is in the reply; `how` is the command. */
  connect(to: Endpoint, how?: string): Promise<Reply>;
  /** Throws when it fails; `how` is the command. */
  accept(how?: string): Promise<Socket>;
  /** Moves `count` bytes by the command; what was moved counts. */
  send(count: number, how?: string): Promise<Reply>;
  receive(count: number, how?: string): Promise<Reply>;
  shutdown(how: 'read' | 'write' | 'both'): Promise<void>;
  disconnect(): Promise<void>;
  close(how?: 'abort'): Promise<void>;
  /** setsockopt; throws when it fails. */
  set(option: readonly [level: number, name: number], value: number | string): Promise<void>;
  nonblocking(): Promise<void>;
  info(): Promise<TcpInfo>;
  asOf(actor: Actor, fd: number): Socket;
}

export function createSocket(
  actor: Actor,
  made: {
    readonly fd: number;
    readonly cookie: number;
    readonly family: Family;
    readonly maker: Process;
    readonly life?: Life;
  },
): Socket {
  const { fd, cookie, family, maker } = made;
  return socketOf(actor, fd, { cookie, family, maker, generation: 0, life: made.life, listening: undefined });
}

const localOf = (reply: Reply): Endpoint => ({ address: reply.local_address, port: reply.local_port });
const peerOf = (reply: Reply): Endpoint => ({ address: reply.peer_address, port: reply.peer_port });

const readingsOf = ({ before, after, info }: Reply, received = 0): Reading[] =>
  info ? [{ at: { before, after }, info, received }] : [];

/** The command with its arguments; `how` may have words behind it, or be a thread's that runs it. */
function compose(how: string, ...arguments_: readonly (string | number)[]): string {
  const words = how.split(' ');
  const at = words[0] === 'thread' ? 3 : 1;
  return [...words.slice(0, at), ...arguments_, ...words.slice(at)].join(' ');
}

function socketOf(actor: Actor, fd: number, shared: Shared): Socket {
  function life(): Life {
    if (!shared.life) throw new Error('the socket was never connected');
    return shared.life;
  }

  /** From here on the process that moved bytes is known. */
  function moved(direction: 'sent' | 'received', reply: Reply): Reply {
    const { bytes } = reply;
    life()[direction] += bytes;
    if (bytes > 0) life().firstIo ??= actor.process;
    return reply;
  }

  function ended(reply: Reply): void {
    if (!shared.life) return;
    const { before, after, info, congestion_control } = reply;
    shared.life.closer ??= actor.process;
    shared.life.readings.push(...readingsOf(reply, shared.life.received));
    shared.life.end ??= { before, after };
    shared.life.info = info ?? shared.life.info;
    shared.life.congestionControl = congestion_control ?? shared.life.congestionControl;
  }

  return {
    fd,
    cookie: shared.cookie,
    get life() {
      return life();
    },
    get listening() {
      return shared.listening;
    },
    bind: (address, port = 0) => actor.ask(`bind ${fd} ${address} ${port}`),
    async listen(address, { port = 0, backlog = 128 } = {}) {
      const bound = await actor.must(`bind ${fd} ${address} ${port}`);
      const { before, after } = await actor.must(`listen ${fd} ${backlog}`);
      const { cookie, family } = shared;
      shared.listening = {
        cookie,
        family,
        process: actor.process,
        local: localOf(bound),
        backlog,
        start: { before, after },
      };
    },
    async connect(to, how = 'connect') {
      const reply = await actor.ask(compose(how, fd, to.address, to.port));
      const { before, after, errno } = reply;
      shared.generation += 1;
      shared.life = {
        role: 'client',
        generation: shared.generation,
        family: shared.family,
        cookie: shared.cookie,
        maker: shared.maker,
        opener: actor.process,
        start: { before, after },
        established: errno === 0 ? { before, after } : undefined,
        born: reply.info,
        readings: readingsOf(reply),
        local: localOf(reply),
        peer: to,
        sent: 0,
        received: 0,
        firstIo: undefined,
        closer: undefined,
        end: errno === 0 || errno === EINPROGRESS ? undefined : { before, after },
        info: undefined,
        congestionControl: undefined,
      };
      if (how.startsWith('fastopen')) moved('sent', reply);
      return reply;
    },
    async accept(how = 'accept') {
      const { listening } = shared;
      if (!listening) throw new Error('not a listener');
      const reply = await actor.must(compose(how, fd));
      const { after, cookie } = reply;
      // It may have been established long before it was accepted.
      const since = { before: listening.start.before, after };
      const accepted: Life = {
        role: 'server',
        generation: 0,
        family: shared.family,
        cookie,
        maker: shared.maker,
        opener: undefined,
        start: since,
        established: since,
        born: reply.info,
        readings: readingsOf(reply),
        local: localOf(reply),
        peer: peerOf(reply),
        sent: 0,
        received: 0,
        firstIo: undefined,
        closer: undefined,
        end: undefined,
        info: undefined,
        congestionControl: undefined,
      };
      return createSocket(actor, {
        fd: reply.fd,
        cookie,
        family: shared.family,
        maker: shared.maker,
        life: accepted,
      });
    },
    async send(count, how = 'send') {
      return moved('sent', await actor.ask(compose(how, fd, count)));
    },
    async receive(count, how = 'receive') {
      return moved('received', await actor.ask(compose(how, fd, count)));
    },
    async shutdown(how) {
      const reply = await actor.must(`shutdown ${fd} ${how}`);
      if (how !== 'read') ended(reply);
    },
    async disconnect() {
      ended(await actor.must(`disconnect ${fd}`));
    },
    async close(how) {
      ended(await actor.must(`close ${fd} ${how ?? ''}`));
    },
    async set([level, name], value) {
      await actor.must(`${typeof value === 'number' ? 'set' : 'settext'} ${fd} ${level} ${name} ${value}`);
    },
    async nonblocking() {
      await actor.must(`nonblocking ${fd}`);
    },
    async info() {
      const reply = await actor.ask(`info ${fd}`);
      const { info } = reply;
      if (!info) throw new Error('TCP_INFO was refused');
      shared.life?.readings.push(...readingsOf(reply, shared.life.received));
      return info;
    },
    asOf: (other, otherFd) => socketOf(other, otherFd, shared),
  };
}
