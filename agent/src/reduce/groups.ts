/**
 * Connections held for the open batch, one group a key: its first record as the kernel wrote it, and beside it the
 * sums of all. Everything stands in memory of its own that the next batch uses again.
 */
import { EVENT_KINDS } from '@tcptrail/schemas/enums.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { type Key, portOfPeer, servicePort } from './key.ts';
import { CONNECTIONS_MAX, LAST, LEASTS, MEANS, type Numbers, SAME, SUMS } from './summary-fields.ts';

/** A held row. Valid until the next `clear`. */
export interface Held<Owner> {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly connections: number;
  readonly rttHistogram: readonly number[];
  readonly owner: Owner;
  /** All of one owner. */
  readonly alone: boolean;
}

export interface GroupOwner {
  /** Equal for processes whose connections may be folded together. */
  readonly program: number;
  /** Equal for the same owner. */
  readonly words: Uint32Array;
}

export interface Groups<Owner> {
  readonly count: number;
  readonly isFull: boolean;
  /** The group that the record may join, -1 when there is none. */
  find(words: Uint32Array, bytes: Uint8Array, at: number, key: Key, program: number): number;
  /** A group of the record alone. There must be room. */
  open(words: Uint32Array, bytes: Uint8Array, at: number, key: Key, owner: Owner): void;
  /** The record joins the group and stands for it; what stood for it before is folded. */
  join(group: number, words: Uint32Array, at: number, owner: Owner): void;
  /** CPU and number that stand for the group. */
  cpuOf(group: number): number;
  seqOf(group: number): number;
  /** What the groups come to, in the order they were opened. */
  rows(): Iterable<Held<Owner>>;
  clear(): void;
}

const RECORD_WORDS = RING_EVENT_BYTES / 4;
const SUMMARY = EVENT_KINDS.indexOf('summary');
const RTT = RING.rtt_us >> 2;
const SEQ = RING.seq >> 2;
/** Powers of two of a 32-bit number of us. */
const RTT_BUCKETS = 32;
/** Of a group, beside its record: the sums, and the sums of what is averaged. */
const MEANS_AT = SUMS.words.length;
const FIGURES = MEANS_AT + MEANS.words.length;

export function createGroups<Owner extends GroupOwner>(groupsMax: number): Groups<Owner> {
  const bytes = new Uint8Array(groupsMax * RING_EVENT_BYTES);
  const words = new Uint32Array(bytes.buffer);
  const figures = new Float64Array(groupsMax * FIGURES);
  const rtts = new Uint32Array(groupsMax * RTT_BUCKETS);
  const connections = new Uint32Array(groupsMax);
  const ports = new Uint16Array(groupsMax);
  const owners: Owner[] = [];
  const alone: boolean[] = [];
  /** Open addressing: group + 1, 0 = free. */
  const table = new Int32Array(2 ** Math.ceil(Math.log2(2 * groupsMax)));
  const mask = table.length - 1;
  let count = 0;

  function matches(group: number, from: Uint32Array, base: number): boolean {
    const own = group * RECORD_WORDS;
    for (let index = 0; index < SAME.words.length; index++) {
      const word = SAME.words[index] as number;
      const difference = (words[own + word] as number) ^ (from[base + word] as number);
      if ((difference & (SAME.bits[index] as number)) !== 0) return false;
    }
    // A mean is of all connections of its row, so that weighted by `connections` it gives their sum again.
    for (let index = 0; index < MEANS.words.length; index++) {
      const word = MEANS.words[index] as number;
      if ((words[own + word] === 0) !== (from[base + word] === 0)) return false;
    }
    return true;
  }

  /** Adds the numbers of a record to those of the group. */
  function addUp(group: number, from: Uint32Array, base: number): void {
    const at = group * FIGURES;
    for (let index = 0; index < SUMS.words.length; index++) {
      (figures[at + index] as number) += from[base + (SUMS.words[index] as number)] as number;
    }
    for (let index = 0; index < MEANS.words.length; index++) {
      (figures[at + MEANS_AT + index] as number) += from[base + (MEANS.words[index] as number)] as number;
    }
    const rtt = from[base + RTT] as number;
    if (rtt > 0) (rtts[group * RTT_BUCKETS + 31 - Math.clz32(rtt)] as number) += 1;
    (connections[group] as number) += 1;
  }

  /** The group's record becomes a summary. */
  function summarise(group: number): void {
    const at = group * FIGURES;
    const base = group * RECORD_WORDS;
    writeNumbers(SUMS, base, (index) => figures[at + index] as number);
    writeNumbers(MEANS, base, (index) =>
      Math.round((figures[at + MEANS_AT + index] as number) / (connections[group] as number)),
    );
    const start = group * RING_EVENT_BYTES;
    bytes[start + RING.kind] = SUMMARY;
    const port = start + portOfPeer(bytes[start + RING.role] as number);
    bytes[port] = 0;
    bytes[port + 1] = 0;
  }

  function writeNumbers(numbers: Numbers, base: number, numberAt: (index: number) => number): void {
    for (const [index, word] of numbers.words.entries()) {
      const value = numberAt(index);
      words[base + word] = value;
      if (numbers.isWide[index]) words[base + word + 1] = value / 0x1_0000_0000;
    }
  }

  function rttHistogram(group: number): readonly number[] {
    const counts = [...rtts.subarray(group * RTT_BUCKETS, (group + 1) * RTT_BUCKETS)];
    return counts.slice(0, counts.findLastIndex((times) => times > 0) + 1);
  }

  return {
    get count() {
      return count;
    },
    get isFull() {
      return count === groupsMax;
    },
    find(from, ring, at, key, program) {
      const base = at >>> 2;
      for (let place = key.first & mask; table[place] !== 0; place = (place + 1) & mask) {
        const group = (table[place] as number) - 1;
        if ((connections[group] as number) >= CONNECTIONS_MAX) continue;
        if (owners[group]?.program !== program || ports[group] !== servicePort(ring, at)) continue;
        if (matches(group, from, base)) return group;
      }
      return -1;
    },
    open(from, ring, at, key, owner) {
      const group = count;
      const base = at >>> 2;
      let place = key.first & mask;
      while (table[place] !== 0) place = (place + 1) & mask;
      table[place] = group + 1;
      ports[group] = servicePort(ring, at);
      owners[group] = owner;
      alone[group] = true;
      for (let index = 0; index < RECORD_WORDS; index++) {
        words[group * RECORD_WORDS + index] = from[base + index] as number;
      }
      addUp(group, from, base);
      count += 1;
    },
    join(group, from, at, owner) {
      const base = at >>> 2;
      const own = group * RECORD_WORDS;
      addUp(group, from, base);
      for (let index = 0; index < LAST.words.length; index++) {
        const word = LAST.words[index] as number;
        const bits = LAST.bits[index] as number;
        words[own + word] = ((words[own + word] as number) & ~bits) | ((from[base + word] as number) & bits);
      }
      for (let index = 0; index < LEASTS.words.length; index++) {
        const word = LEASTS.words[index] as number;
        const value = from[base + word] as number;
        const least = words[own + word] as number;
        if (value > 0 && (least === 0 || value < least)) words[own + word] = value;
      }
      if (alone[group] && !isSame(owners[group], owner)) alone[group] = false;
      owners[group] = owner;
    },
    cpuOf: (group) => {
      const at = group * RING_EVENT_BYTES + RING.cpu;
      return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    },
    seqOf: (group) => {
      const at = group * RECORD_WORDS + SEQ;
      return (words[at + 1] as number) * 0x1_0000_0000 + (words[at] as number);
    },
    *rows() {
      for (let group = 0; group < count; group++) {
        const isSummary = (connections[group] as number) > 1;
        if (isSummary) summarise(group);
        yield {
          words,
          bytes,
          at: group * RING_EVENT_BYTES,
          connections: connections[group] as number,
          rttHistogram: isSummary ? rttHistogram(group) : [],
          owner: owners[group] as Owner,
          alone: alone[group] as boolean,
        };
      }
    },
    clear() {
      figures.fill(0, 0, count * FIGURES);
      rtts.fill(0, 0, count * RTT_BUCKETS);
      connections.fill(0, 0, count);
      table.fill(0);
      owners.length = 0;
      alone.length = 0;
      count = 0;
    },
  };
}

function isSame(one: GroupOwner | undefined, other: GroupOwner): boolean {
  return one === other || (one?.words.every((word, index) => word === other.words[index]) ?? false);
}
