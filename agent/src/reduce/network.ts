/** Networks in CIDR notation, compared with the words that the ring has of an address. */
import { isIP } from 'node:net';

/** Its first and last address, each as four numbers, the first the most significant. */
export interface Network {
  readonly first: readonly number[];
  readonly last: readonly number[];
}

export interface Networks {
  /** Whether the address at word `word` is in one of them. Allocates nothing. */
  hold(words: Uint32Array, word: number): boolean;
}

const ADDRESS_BYTES = 16;
const MAPPED_BITS = 96;

/** `10.0.0.0/8`, `2001:db8::/32` or one address; undefined when the text is neither. */
export function networkOf(text: string): Network | undefined {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (version === 0 || more.length > 0 || address.includes('%') || !(length >= 0 && length <= most))
    return undefined;
  const mask = maskOf(version === 4 ? MAPPED_BITS + length : length);
  const network = version === 4 ? mappedOf(address) : bytesOf(address);
  return {
    first: numbersOf(network.map((byte, index) => byte & (mask[index] as number))),
    last: numbersOf(network.map((byte, index) => byte | (0xff & ~(mask[index] as number)))),
  };
}

/** One list to look an address up in, in as many steps as the logarithm of its length. */
export function networksOf(networks: readonly Network[]): Networks {
  const ranges: Network[] = [];
  for (const network of networks.toSorted((a, b) => order(a.first, b.first))) {
    // Networks lie in one another or apart.
    const before = ranges.at(-1);
    if (!before || order(before.last, network.last) < 0) ranges.push(network);
  }
  const firsts = Uint32Array.from(ranges.flatMap(({ first }) => [...first]));
  const lasts = Uint32Array.from(ranges.flatMap(({ last }) => [...last]));
  return {
    hold(words, word) {
      let low = 0;
      let high = ranges.length;
      // The last range that begins at the address or before it is the only one that can hold it.
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (compare(words, word, firsts, 4 * middle) >= 0) low = middle + 1;
        else high = middle;
      }
      return low > 0 && compare(words, word, lasts, 4 * (low - 1)) <= 0;
    },
  };
}

function order(a: readonly number[], b: readonly number[]): number {
  for (const [index, number] of a.entries()) {
    const difference = number - (b[index] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Below, at or above 0: the address at `word`, and the one at `place` of `numbers`. */
function compare(words: Uint32Array, word: number, numbers: Uint32Array, place: number): number {
  for (let index = 0; index < 4; index++) {
    const difference = swapped(words[word + index] as number) - (numbers[place + index] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A word of the ring is little-endian, an address is not. */
function swapped(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

function maskOf(length: number): Uint8Array {
  return Uint8Array.from({ length: ADDRESS_BYTES }, (_, index) => {
    const bits = Math.min(8, Math.max(0, length - 8 * index));
    return 0xff & (0xff00 >> bits);
  });
}

function mappedOf(address: string): Uint8Array {
  return Uint8Array.from([...new Array(10).fill(0), 0xff, 0xff, ...address.split('.').map(Number)]);
}

/** Bytes of a valid IPv6 address. */
function bytesOf(address: string): Uint8Array {
  const [head = '', tail] = address.split('::');
  const front = partsOf(head);
  const back = tail === undefined ? [] : partsOf(tail);
  const zeros = new Array(ADDRESS_BYTES - front.length - back.length).fill(0);
  return Uint8Array.from([...front, ...zeros, ...back]);
}

function partsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (part.includes('.')) return part.split('.').map(Number);
    const value = Number.parseInt(part, 16);
    return [value >> 8, value & 0xff];
  });
}

/** An address as four numbers, the first the most significant. */
function numbersOf(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer);
  return [0, 4, 8, 12].map((at) => view.getUint32(at));
}
