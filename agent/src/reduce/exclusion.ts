/**
 * What the filters leave out, decided once a connection: the owner of one may change while it lives, as on servers
 * that accept in one process and close in another, and a connection is told whole or left out whole.
 *
 * Where nothing is remembered of a connection and something may have been told of it, its end is told: without one it
 * would seem to live for ever.
 */
import { EVENT_KINDS, type EventKind, TCP_STATES } from '@tcptrail/schemas/enums.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import type { CgroupPathOf, Filter } from './filter.ts';

export interface ExclusionConfig {
  readonly filter: Filter;
  /** ns since boot: of what began before, an earlier run or filter may have told something. */
  readonly sinceNs: number;
  readonly openHoldMs: number;
  /** Connections remembered in each of two generations. */
  readonly connectionsMax?: number;
}

export interface Exclusion {
  /** Index of the rule that leaves out the valid record at byte `at`, -1 when none does. */
  ruleOf(words: Uint32Array, bytes: Uint8Array, at: number): number;
}

const isOneOf = (kinds: readonly EventKind[]): readonly boolean[] =>
  EVENT_KINDS.map((kind) => kinds.includes(kind));
const OF_CONNECTION = isOneOf(['open', 'update', 'retransmit', 'reset', 'close', 'fail']);
/** Without them a connection seems to live. */
export const ENDS = isOneOf(['close', 'fail']);
/** A SYN-ACK sent again is of a handshake, which has its child's number but is no connection yet. */
const HANDSHAKE = TCP_STATES.indexOf('new_syn_received');
const COOKIE = RING.socket_cookie >> 2;
const GENERATION = RING.generation >> 2;
const START = RING.start_ts >> 2;
const DURATION = RING.duration_us >> 2;
const TOTAL_RETRANS = RING.total_retrans >> 2;
const GENERATIONS = 1_024;

export function createExclusion(
  { filter, sinceNs: first, openHoldMs, connectionsMax = 32_768 }: ExclusionConfig,
  deps: { readonly cgroupPathOf: CgroupPathOf; readonly boottimeNs: () => bigint },
): Exclusion {
  const { cgroupPathOf, boottimeNs } = deps;
  const holdUs = openHoldMs * 1_000;
  let sinceNs = first;
  let young = new Map<number, number>();
  let old = new Map<number, number>();
  let youngSinceNs = first;

  function remember(key: number, rule: number): void {
    if (young.size >= connectionsMax) {
      // What goes was last seen before the young ones began.
      sinceNs = youngSinceNs;
      youngSinceNs = Number(boottimeNs());
      [old, young] = [young, new Map()];
    }
    young.set(key, rule);
  }

  function recall(key: number): number | undefined {
    const known = young.get(key);
    if (known !== undefined) return known;
    const rule = old.get(key);
    if (rule !== undefined) remember(key, rule);
    return rule;
  }

  /** A short one that sent nothing again has no other event, before its end or, from the other ring, after it. */
  const isAlone = (words: Uint32Array, kind: number, base: number): boolean =>
    ENDS[kind] === true && (words[base + DURATION] as number) < holdUs && words[base + TOTAL_RETRANS] === 0;

  return {
    ruleOf(words, bytes, at) {
      const kind = bytes[at + RING.kind] as number;
      const base = at >>> 2;
      const cookie = numberAt(words, base + COOKIE);
      const isOfOne = OF_CONNECTION[kind] === true && cookie !== 0 && bytes[at + RING.state] !== HANDSHAKE;
      const isKept = isOfOne && filter.asksOwner && !isAlone(words, kind, base);
      const key = isKept ? cookie * GENERATIONS + ((words[base + GENERATION] as number) % GENERATIONS) : 0;
      const known = isKept ? recall(key) : undefined;
      if (known !== undefined) return known;
      const rule = filter.match(words, bytes, at, cgroupPathOf);
      if (!isOfOne) return rule;
      if (numberAt(words, base + START) < sinceNs) return ENDS[kind] ? -1 : rule;
      if (isKept) remember(key, rule);
      return rule;
    },
  };
}

/** The number of two words. */
export function numberAt(words: Uint32Array, word: number): number {
  return (words[word + 1] as number) * 0x1_0000_0000 + (words[word] as number);
}
