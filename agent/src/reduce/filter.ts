/**
 * Which events are left out: those that meet a rule of the configuration. A rule is met when all of its conditions
 * are, and a condition when one of its values is. Nothing is left out that no rule names.
 */
import { EVENT_KINDS, ROLES } from '@tcptrail/schemas/enums.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { type Network, networkOf } from './network.ts';

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
  /** Index of the first rule that the valid record at byte `at` meets, -1 when it meets none. */
  match(words: Uint32Array, bytes: Uint8Array, at: number, cgroupPathOf: CgroupPathOf): number;
}

type Condition = Filter['match'] extends (...args: infer Args) => number ? (...args: Args) => boolean : never;

const SERVER = ROLES.indexOf('server');
const CLIENT = ROLES.indexOf('client');
const LISTENERS = EVENT_KINDS.map((kind) => ['listen', 'unlisten', 'listener'].includes(kind));
const PEER = RING.peer_address >> 2;
const PID = RING.pid >> 2;
const UID = RING.uid >> 2;
const SOCKET_UID = RING.socket_uid >> 2;
/** Paths of which it is remembered whether they are in a rule's cgroups. */
const PATHS_MAX = 4_096;

/** Throws a TypeError for a peer that is no network. */
export function createFilter(rules: readonly FilterRule[]): Filter {
  const conditions = rules.map(conditionsOf);
  return {
    names: rules.map(({ name }) => name),
    match(words, bytes, at, cgroupPathOf) {
      for (let rule = 0; rule < conditions.length; rule++) {
        if (areAllMet(conditions[rule] as readonly Condition[], words, bytes, at, cgroupPathOf)) return rule;
      }
      return -1;
    },
  };
}

/** The cheap ones first. A rule without conditions is met by nothing. */
function conditionsOf({ ports, peers, uids, cgroups }: FilterRule): readonly Condition[] {
  return [
    ...(ports ? [portCondition(new Set(ports))] : []),
    ...(peers ? [peerCondition(peers.map(networkNamed))] : []),
    ...(uids ? [uidCondition(new Set(uids))] : []),
    ...(cgroups ? [cgroupCondition(cgroups)] : []),
  ];
}

function areAllMet(conditions: readonly Condition[], ...record: Parameters<Condition>): boolean {
  for (const isMet of conditions) if (!isMet(...record)) return false;
  return conditions.length > 0;
}

function portCondition(ports: ReadonlySet<number>): Condition {
  return (_words, bytes, at) => {
    const role = bytes[at + RING.role];
    const isOfListener = LISTENERS[bytes[at + RING.kind] as number] === true;
    if (role !== CLIENT && ports.has(u16(bytes, at + RING.local_port))) return true;
    return role !== SERVER && !isOfListener && ports.has(u16(bytes, at + RING.peer_port));
  };
}

function peerCondition(networks: readonly Network[]): Condition {
  return (words, bytes, at) => {
    if (LISTENERS[bytes[at + RING.kind] as number] === true) return false;
    const word = (at >>> 2) + PEER;
    for (const network of networks) if (network.holds(words, word)) return true;
    return false;
  };
}

function uidCondition(uids: ReadonlySet<number>): Condition {
  return (words, _bytes, at) => {
    const base = at >>> 2;
    return uids.has(words[base + (words[base + PID] === 0 ? SOCKET_UID : UID)] as number);
  };
}

function cgroupCondition(cgroups: readonly string[]): Condition {
  const tops = cgroups.map((path) => path.replace(/\/+$/, ''));
  let known = new Map<string, boolean>();
  return (words, bytes, at, cgroupPathOf) => {
    const path = cgroupPathOf(words, bytes, at);
    const remembered = known.get(path);
    if (remembered !== undefined) return remembered;
    if (known.size >= PATHS_MAX) known = new Map();
    const isIn = path !== '' && tops.some((top) => path === top || path.startsWith(`${top}/`));
    known.set(path, isIn);
    return isIn;
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
