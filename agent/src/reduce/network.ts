/** Networks in CIDR notation, compared as the words that the ring has of an address. */
import { isIP } from 'node:net';

export interface Network {
  /** Whether the address at word `word` is in it. */
  holds(words: Uint32Array, word: number): boolean;
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
  const mask = wordsOf(maskOf(version === 4 ? MAPPED_BITS + length : length));
  const network = wordsOf(version === 4 ? mappedOf(address) : bytesOf(address));
  const masked = network.map((word, index) => word & (mask[index] as number));
  return {
    holds(words, word) {
      for (let index = 0; index < 4; index++) {
        const difference = (words[word + index] as number) ^ (masked[index] as number);
        if ((difference & (mask[index] as number)) !== 0) return false;
      }
      return true;
    },
  };
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

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}
