/**
 * Which events are left out: those that meet a rule of the configuration. A rule is met when all of its conditions
 * are, and a condition when one of its values is. Nothing is left out that no rule names.
 */
import { EVENT_KINDS, ROLES } from '@tcptrail/schemas/enums.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { type Network, type Networks, networkOf, networksOf } from './network.ts';

export interface FilterRule {
  readonly name: string;
  /** Ports of the service: local of a server and a listener, the peer's of a client; either where that is not known. */
  readonly ports?: readonly number[] | undefined;
  /** Networks of the peer, CIDR. */
  readonly peers?: readonly string[] | undefined;
  /** Users: of the process, else of the socket. */
  readonly uids?: readonly number[] | undefined;
  /** cgroup paths of the process; those below count too. */
  readonly cgroups?: readonly string[] | undefined;
}

/** The cgroup path of the owner of a record; '' when it is not known. */
export type CgroupPathOf = (words: Uint32Array, bytes: Uint8Array, at: number) => string;

export interface Filter {
  /** Names of the rules. */
  readonly names: readonly string[];
  /** A rule asks for the owner, which may change while a connection lives. */
  readonly asksOwner: boolean;
  /** Index of the first rule that the valid record at byte `at` meets, -1 when it meets none. */
  match(words: Uint32Array, bytes: Uint8Array, at: number, cgroupPathOf: CgroupPathOf): number;
}

const SERVER = ROLES.indexOf('server');
const CLIENT = ROLES.indexOf('client');
const LISTENERS = EVENT_KINDS.map((kind) => ['listen', 'unlisten', 'listener'].includes(kind));
const PEER = RING.peer_address >> 2;
const PID = RING.pid >> 2;
const UID = RING.uid >> 2;
const SOCKET_UID = RING.socket_uid >> 2;
const PORTS = 65_536;
/** Paths of which it is remembered whether they are in a rule's cgroups. */
const PATHS_MAX = 4_096;

/** A rule as it is asked of each event: nothing is made by asking. */
interface Prepared {
  /** By port, 1 where it is one of the rule. */
  readonly ports: Uint8Array | undefined;
  readonly peers: Networks | undefined;
  readonly uids: ReadonlySet<number> | undefined;
  readonly cgroups: Cgroups | undefined;
}

/** Throws a TypeError for a peer that is no network. */
export function createFilter(rules: readonly FilterRule[]): Filter {
  // A rule without conditions is met by nothing.
  const prepared = rules.map((rule) => (hasConditions(rule) ? prepare(rule) : undefined));
  return {
    names: rules.map(({ name }) => name),
    asksOwner: rules.some(({ uids, cgroups }) => uids !== undefined || cgroups !== undefined),
    match(words, bytes, at, cgroupPathOf) {
      for (let index = 0; index < prepared.length; index++) {
        const rule = prepared[index];
        if (rule && isMet(rule, words, bytes, at, cgroupPathOf)) return index;
      }
      return -1;
    },
  };
}

const hasConditions = ({ ports, peers, uids, cgroups }: FilterRule): boolean =>
  [ports, peers, uids, cgroups].some((condition) => condition !== undefined);

const prepare = ({ ports, peers, uids, cgroups }: FilterRule): Prepared => ({
  ports: ports && portsOf(ports),
  peers: peers && networksOf(peers.map(networkNamed)),
  uids: uids && new Set(uids),
  cgroups: cgroups && createCgroups(cgroups),
});

/** The cheap conditions first. */
function isMet(
  { ports, peers, uids, cgroups }: Prepared,
  words: Uint32Array,
  bytes: Uint8Array,
  at: number,
  cgroupPathOf: CgroupPathOf,
): boolean {
  if (ports && !isOfPort(ports, bytes, at)) return false;
  if (uids && !uids.has(uidOf(words, at))) return false;
  if (peers) {
    const isOfListener = LISTENERS[bytes[at + RING.kind] as number] === true;
    if (isOfListener || !peers.hold(words, (at >>> 2) + PEER)) return false;
  }
  return !cgroups || cgroups.hold(cgroupPathOf(words, bytes, at));
}

function isOfPort(ports: Uint8Array, bytes: Uint8Array, at: number): boolean {
  const role = bytes[at + RING.role];
  if (role !== CLIENT && ports[u16(bytes, at + RING.local_port)] === 1) return true;
  const isOfListener = LISTENERS[bytes[at + RING.kind] as number] === true;
  return role !== SERVER && !isOfListener && ports[u16(bytes, at + RING.peer_port)] === 1;
}

function uidOf(words: Uint32Array, at: number): number {
  const base = at >>> 2;
  return words[base + (words[base + PID] === 0 ? SOCKET_UID : UID)] as number;
}

function portsOf(ports: readonly number[]): Uint8Array {
  const all = new Uint8Array(PORTS);
  for (const port of ports) all[port] = 1;
  return all;
}

interface Cgroups {
  /** Whether the path is one of them, or below one. */
  hold(path: string): boolean;
}

function createCgroups(cgroups: readonly string[]): Cgroups {
  const tops = cgroups.map((path) => path.replace(/\/+$/, ''));
  let known = new Map<string, boolean>();
  return {
    hold(path) {
      const remembered = known.get(path);
      if (remembered !== undefined) return remembered;
      if (known.size >= PATHS_MAX) known = new Map();
      const isIn = path !== '' && tops.some((top) => path === top || path.startsWith(`${top}/`));
      known.set(path, isIn);
      return isIn;
    },
  };
}

function networkNamed(text: string): Network {
  const network = networkOf(text);
  if (!network) throw new TypeError(`${text} is no network`);
  return network;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}
