/**
 * Ring records to the owners of a batch: each distinct owner once, referred to by its index; index 0 is the unknown
 * owner. /proc is asked once an owner, never per event.
 *
 * An owner is told by the words the kernel wrote (pid, start, uid, comm, parent, cgroup, exec), compared as numbers.
 */
import { type Owner, UNKNOWN_OWNER } from '@tcptrail/schemas/batch.ts';
import { microseconds } from '@tcptrail/schemas/encode-value.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import type { ProcessFacts, ProcessKey } from './process.ts';

export interface OwnersDeps {
  readonly facts: (key: ProcessKey) => ProcessFacts;
  /** µs to add to kernel time for UTC. */
  readonly clockOffsetUs: () => number;
  /** Told of each owner once a batch. */
  readonly onOwner?: (owner: Owner) => void;
}

export interface OwnerConfig {
  readonly agentPid: number;
  /** Process whose children are tcptrail's own parts; 0 = none. */
  readonly supervisorPid: number;
  readonly entriesMax?: number;
}

export interface Owners {
  /** Index in the batch of the owner of the record at byte `at`. */
  indexOf(words: Uint32Array, bytes: Uint8Array, at: number): number;
  /** The owner of the record at byte `at`, which has one; not yet in the batch. */
  find(words: Uint32Array, bytes: Uint8Array, at: number): KnownOwner;
  /** Index in the batch of an owner found before; of one alone, or of several of its program. */
  include(found: KnownOwner, options: { readonly alone: boolean }): number;
  /** Whether the owner last asked for is a part of tcptrail. */
  readonly own: boolean;
  /** About the bytes the batch's owners take in Avro. */
  readonly bytes: number;
  /** The batch's owners; the next batch starts anew. */
  take(): Owner[];
  /** Asks for the facts of every owner anew. */
  forget(): void;
}

/** An owner as long as it is known. */
export interface KnownOwner {
  readonly owner: Owner;
  /** A part of tcptrail. */
  readonly own: boolean;
  /** About the bytes it takes in Avro. */
  readonly bytes: number;
  /** Equal for processes of one program in one place, which differ in what `withoutProcess` takes away. */
  readonly program: number;
  /** What the kernel tells it by: equal for the same owner, also when it was forgotten meanwhile. */
  readonly words: Uint32Array;
}

interface Entry extends KnownOwner {
  batch: number;
  index: number;
}

/** Words of the ring record that tell an owner. */
const AT = [
  RING.pid,
  RING.process_start_ts,
  RING.process_start_ts + 4,
  RING.comm,
  RING.comm + 4,
  RING.comm + 8,
  RING.comm + 12,
  RING.uid,
  RING.parent_pid,
  RING.cgroup_id,
  RING.cgroup_id + 4,
  RING.exec_id,
].map((offset) => offset >>> 2);
const PID_AT = RING.pid >>> 2;
/** A power of two. */
const RECENT = 256;
/** Places of the numbers in AT. */
const PID = 0;
const START = 1;
const UID = 7;
const PARENT = 8;
const CGROUP = 9;
const EXEC = 11;
const NAME_BYTES = 16;
/** Numbers, lengths and the like of one owner in Avro. */
const OWNER_BYTES_FIXED = 64;

export function createOwners(config: OwnerConfig, deps: OwnersDeps): Owners {
  const entriesMax = config.entriesMax ?? 8_192;
  let entries = new Map<number, Entry[]>();
  let entryCount = 0;
  let programs = new Map<string, number>();
  let lastProgram = 0;
  /** The owner last seen of each of some pids: nearly every event finds its own here. */
  const recent: (Entry | undefined)[] = new Array(RECENT).fill(undefined);
  let batch = 1;
  let owners: Owner[] = [UNKNOWN_OWNER];
  let bytes = OWNER_BYTES_FIXED;
  let own = false;

  function programOf(owner: Owner, isOwn: boolean): number {
    const name = JSON.stringify([isOwn, withoutProcess(owner)]);
    // Numbers are never given again: what is forgotten is another program when it comes back.
    if (programs.size >= entriesMax) programs = new Map();
    const program = programs.get(name) ?? ++lastProgram;
    programs.set(name, program);
    return program;
  }

  function make(words: Uint32Array, name: Uint8Array): Entry {
    const word = (index: number): number => words[index] ?? 0;
    const startNs = (BigInt(word(START + 1)) << 32n) | BigInt(word(START));
    const end = name.indexOf(0);
    const comm = Buffer.from(end < 0 ? name : name.subarray(0, end)).toString('utf8');
    const key = {
      pid: word(PID),
      startNs,
      execId: word(EXEC),
      comm,
      parentPid: word(PARENT),
      cgroupId: word(CGROUP + 1) * 0x1_0000_0000 + word(CGROUP),
    };
    const owner: Owner = {
      pid: key.pid,
      process_start_ts:
        startNs === 0n ? 0 : microseconds(word(START), word(START + 1)) + deps.clockOffsetUs(),
      uid: word(UID),
      comm,
      parent_pid: key.parentPid,
      cgroup_id: key.cgroupId,
      ...deps.facts(key),
    };
    const isOwn = key.pid === config.agentPid || isPart(key.pid, key.parentPid, config.supervisorPid);
    const program = programOf(owner, isOwn);
    return { words, owner, own: isOwn, bytes: sizeOf(owner), program, batch: 0, index: 0 };
  }

  function find(words: Uint32Array, ring: Uint8Array, at: number): Entry {
    const base = at >>> 2;
    const place = (words[base + PID_AT] as number) & (RECENT - 1);
    const last = recent[place];
    if (last && isSame(last.words, words, base)) return last;
    const found = findKnown(words, base) ?? add(words, ring, at);
    recent[place] = found;
    return found;
  }

  function forgetEntries(): void {
    entries = new Map();
    entryCount = 0;
  }

  function hashOf(words: Uint32Array, base: number): number {
    let hash = 0;
    for (let index = 0; index < AT.length; index++) {
      hash = Math.imul(hash ^ (words[base + (AT[index] ?? 0)] ?? 0), 0x9e37_79b1);
    }
    return hash;
  }

  function findKnown(words: Uint32Array, base: number): Entry | undefined {
    return entries.get(hashOf(words, base))?.find((entry) => isSame(entry.words, words, base));
  }

  function add(words: Uint32Array, ring: Uint8Array, at: number): Entry {
    const base = at >>> 2;
    // Starting over is as good as dropping the eldest: what is still alive comes back with its next event.
    if (entryCount >= entriesMax) forgetEntries();
    const copy = Uint32Array.from(AT, (offset) => words[base + offset] ?? 0);
    const entry = make(copy, ring.slice(at + RING.comm, at + RING.comm + NAME_BYTES));
    const hash = hashOf(words, base);
    entries.set(hash, [...(entries.get(hash) ?? []), entry]);
    entryCount += 1;
    return entry;
  }

  function indexOfEntry(entry: Entry): number {
    if (entry.batch !== batch) {
      entry.batch = batch;
      entry.index = owners.push(entry.owner) - 1;
      bytes += entry.bytes;
      deps.onOwner?.(entry.owner);
    }
    return entry.index;
  }

  return {
    indexOf(words, ring, at) {
      own = false;
      // Without a process the socket may still tell user and cgroup.
      if (words[(at >>> 2) + PID_AT] === 0 && AT.every((offset) => words[(at >>> 2) + offset] === 0))
        return 0;
      const entry = find(words, ring, at);
      own = entry.own;
      return indexOfEntry(entry);
    },
    find,
    include(found, { alone }) {
      if (alone) return indexOfEntry(found as Entry);
      deps.onOwner?.(found.owner);
      bytes += found.bytes;
      return owners.push(withoutProcess(found.owner)) - 1;
    },
    get own() {
      return own;
    },
    get bytes() {
      return bytes;
    },
    take() {
      const taken = owners;
      owners = [UNKNOWN_OWNER];
      bytes = OWNER_BYTES_FIXED;
      batch += 1;
      return taken;
    },
    forget() {
      forgetEntries();
      recent.fill(undefined);
    },
  };
}

/** What several processes of one program in one place have in common. */
function withoutProcess(owner: Owner): Owner {
  return {
    ...owner,
    pid: 0,
    process_start_ts: 0,
    parent_pid: 0,
    command_line: '',
    process_network_namespace: 0,
  };
}

/** Whether the record whose first word is `base` has these owner's words. */
function isSame(owner: Uint32Array, words: Uint32Array, base: number): boolean {
  for (let index = 0; index < AT.length; index++) {
    if (owner[index] !== words[base + (AT[index] as number)]) return false;
  }
  return true;
}

function isPart(pid: number, parentPid: number, supervisorPid: number): boolean {
  return supervisorPid > 0 && (pid === supervisorPid || parentPid === supervisorPid);
}

function sizeOf(owner: Owner): number {
  const texts = Object.values(owner).filter((value) => typeof value === 'string');
  return texts.reduce((bytes, text) => bytes + Buffer.byteLength(text) + 2, OWNER_BYTES_FIXED);
}
