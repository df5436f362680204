/**
 * The kernel's account of the numbers it gave, one element a CPU, read without a call.
 *
 * Element (bpf/emit.bpf.h, struct account): u64 seq, submitted, failed, filtered, untracked, recovered, absent,
 * then failed_by[ring][kind], padded to 64 bytes. The first six stand there in every version.
 */

import type { BatchEnvelope } from '@tcptrail/schemas/batch.ts';
import { EVENT_KINDS, RINGS } from '@tcptrail/schemas/enums.ts';

const SEQ = 0;
const SUBMITTED = 1;
const FAILED = 2;
const FILTERED = 3;
const UNTRACKED = 4;
const RECOVERED = 5;
const ABSENT = 6;
const FAILED_BY = 7;
const WORD_BYTES = 8;
const LINE_BYTES = 64;
/** Tries a CPU gets within one sample: an event is under way for about a microsecond. */
const TRIES = 8;

/** Bytes of one element. */
export const ACCOUNT_BYTES =
  Math.ceil(((FAILED_BY + RINGS.length * EVENT_KINDS.length) * WORD_BYTES) / LINE_BYTES) * LINE_BYTES;

/** Cumulative within the kernel epoch. */
export interface KernelAccount {
  readonly cpu: number;
  /** Last number given. */
  readonly seq: number;
  /** Numbers without a record: a ring was full, or busy, as a reserve never waits for a lock that it interrupted. */
  readonly failed: number;
  /** Always 0: folding is not the kernel's. */
  readonly folded: number;
  readonly filtered: number;
}

export interface Accounts {
  /** undefined when an event was under way on some CPU: try again later. */
  sample(): KernelAccount[] | undefined;
  /** By ring and kind, those that are not 0. */
  failedReserves(): BatchEnvelope['failed_reserves'][number][];
  /** State changes of sockets that could not be tracked for want of memory. */
  untracked(): number;
  /** State changes whose program the kernel skipped, told by the spare one. */
  recovered(): number;
  /** State changes that came while no agent was there. */
  absent(): number;
}

/** `words`: the map's memory, one element of `bytes` a possible CPU. What another version laid out otherwise reads as 0. */
export function createAccounts(
  words: BigUint64Array,
  { cpus, bytes }: { readonly cpus: number; readonly bytes: number },
): Accounts {
  const stride = bytes / WORD_BYTES;
  const isOurs = bytes === ACCOUNT_BYTES;
  const read = (cpu: number, word: number): number => Number(Atomics.load(words, cpu * stride + word));

  /** seq last: when the sums agree, nothing was under way when the first of them was read. */
  function sampleCpu(cpu: number): KernelAccount | undefined {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const submitted = read(cpu, SUBMITTED);
      const failed = read(cpu, FAILED);
      const filtered = read(cpu, FILTERED);
      const seq = read(cpu, SEQ);
      if (seq === submitted + failed + filtered) return { cpu, seq, failed, folded: 0, filtered };
    }
    return undefined;
  }

  function total(word: number): number {
    let count = 0;
    for (let cpu = 0; cpu < cpus; cpu += 1) count += read(cpu, word);
    return count;
  }

  return {
    sample() {
      const sample: KernelAccount[] = [];
      for (let cpu = 0; cpu < cpus; cpu += 1) {
        const account = sampleCpu(cpu);
        if (!account) return undefined;
        sample.push(account);
      }
      return sample;
    },
    failedReserves() {
      if (!isOurs) return [];
      // Asked for at every batch, and mostly so.
      if (total(FAILED) === 0) return [];
      return RINGS.flatMap((ring, r) =>
        EVENT_KINDS.map((kind, k) => ({
          ring,
          kind,
          count: total(FAILED_BY + r * EVENT_KINDS.length + k),
        })),
      ).filter(({ count }) => count > 0);
    },
    untracked: () => total(UNTRACKED),
    recovered: () => total(RECOVERED),
    absent: () => (isOurs ? total(ABSENT) : 0),
  };
}
