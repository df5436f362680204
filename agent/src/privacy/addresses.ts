/**
 * External addresses become `100::/64` (RFC 6666: discarded everywhere, so no connection has such a peer) and 64 bits
 * of a keyed hash; `100::` alone is one that was dropped.
 *
 * What became of an address is kept by its four words, in sets of two, the one seen last first: no object an event.
 */
import type { Hashes } from './hash.ts';

export interface Addresses {
  /** Rewrites the address of 4 words at `word` of two views of one memory, if it is external. */
  mask(words: Uint32Array, bytes: Uint8Array, word: number): void;
}

/** A power of two. */
const SETS = 4_096;
/** Four words of the address, two of the hash, one that says what it is. */
const ENTRY = 7;
const [HIGH, LOW, WHAT] = [4, 5, 6];
const EMPTY = 0;
const INTERNAL = 1;
const EXTERNAL = 2;
/** The first word of 100::, as memory of a little-endian machine holds it. */
const PREFIX = 0x0000_0001;

export function createAddresses(deps: {
  /** undefined: dropped. */
  readonly hash: Hashes['address'] | undefined;
  readonly isInternal: (bytes: Uint8Array, at: number) => boolean;
}): Addresses {
  const known = new Uint32Array(SETS * 2 * ENTRY);
  /** So that nobody outside can choose addresses that share a set. */
  const seed = Math.floor(Math.random() * 0x1_0000_0000);

  function setOf(words: Uint32Array, word: number): number {
    let hash = seed;
    for (let index = 0; index < 4; index++)
      hash = Math.imul(hash ^ (words[word + index] as number), 0x9e37_79b1) ^ (hash >>> 15);
    return ((hash ^ (hash >>> 13)) & (SETS - 1)) * 2 * ENTRY;
  }

  const isAt = (entry: number, words: Uint32Array, word: number): boolean =>
    known[entry + WHAT] !== EMPTY &&
    known[entry] === words[word] &&
    known[entry + 1] === words[word + 1] &&
    known[entry + 2] === words[word + 2] &&
    known[entry + 3] === words[word + 3];

  /** The place of the address, at the head of its set. */
  function find(words: Uint32Array, bytes: Uint8Array, word: number): number {
    const first = setOf(words, word);
    if (isAt(first, words, word)) return first;
    const second = first + ENTRY;
    const isSecond = isAt(second, words, word);
    for (let index = 0; index < ENTRY; index++) {
      const swapped = known[second + index] as number;
      known[second + index] = known[first + index] as number;
      known[first + index] = swapped;
    }
    if (!isSecond) learn(first, words, bytes, word);
    return first;
  }

  function learn(entry: number, words: Uint32Array, bytes: Uint8Array, word: number): void {
    for (let index = 0; index < 4; index++) known[entry + index] = words[word + index] as number;
    const isInternal = deps.isInternal(bytes, word * 4);
    const [high, low] =
      isInternal || !deps.hash ? [0, 0] : deps.hash(bytes.subarray(word * 4, word * 4 + 16));
    known[entry + HIGH] = high;
    known[entry + LOW] = low;
    known[entry + WHAT] = isInternal ? INTERNAL : EXTERNAL;
  }

  return {
    mask(words, bytes, word) {
      const entry = find(words, bytes, word);
      if (known[entry + WHAT] === INTERNAL) return;
      words[word] = PREFIX;
      words[word + 1] = 0;
      words[word + 2] = known[entry + HIGH] as number;
      words[word + 3] = known[entry + LOW] as number;
    },
  };
}
