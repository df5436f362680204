/** Avro forms of single values on the encode path; each returns the position after what it wrote. */
import { writeLong, writeWords } from './varint.ts';

/** Limits of what the agent adds, so that the size of an event has a bound. */
export const TEXT_BYTES_MAX = 256;
export const LIST_ITEMS_MAX = 64;

const NAME_BYTES = 16;

/** 2^32 ns = 4,294,967 µs and 296 ns. */
const HIGH_US = 4_294_967;
const HIGH_NS = 296;

/** Whole µs of a kernel time in ns, given as two halves of any sign; exact below 2^62 ns, where one number is not. */
export function microseconds(low: number, high: number): number {
  const upper = high >>> 0;
  return upper * HIGH_US + Math.floor((upper * HIGH_NS + (low >>> 0)) / 1_000);
}

/** Kernel time (ns since boot, two halves) as µs since the epoch; 0 stays 0 (never). */
export function writeTime(
  out: Uint8Array,
  position: number,
  low: number,
  high: number,
  offsetUs: number,
): number {
  if (low === 0 && high === 0) {
    out[position] = 0;
    return position + 1;
  }
  return writeLong(out, position, microseconds(low, high) + offsetUs);
}

/** A NUL-padded name of 16 bytes as string. */
export function writeName(out: Uint8Array, position: number, bytes: Uint8Array, at: number): number {
  let length = 0;
  let p = position + 1;
  for (; length < NAME_BYTES; length++) {
    const byte = bytes[at + length] as number;
    if (byte === 0) break;
    out[p++] = byte;
  }
  out[position] = length << 1;
  return p;
}

/** UTF-8 bytes as string. Throws a RangeError for more than TEXT_BYTES_MAX, and has then written nothing. */
export function writeText(out: Uint8Array, position: number, text: Uint8Array): number {
  if (text.length > TEXT_BYTES_MAX) throw new RangeError(`text of ${text.length} bytes`);
  const p = writeWords(out, position, text.length, 0);
  if (text.length === 0) return p;
  out.set(text, p);
  return p + text.length;
}

/**
 * Unsigned 32-bit numbers as an array of one block. Throws a RangeError for more than LIST_ITEMS_MAX or another
 * number, and has then written nothing.
 */
export function writeList(out: Uint8Array, position: number, items: readonly number[]): number {
  if (items.length > LIST_ITEMS_MAX) throw new RangeError(`list of ${items.length} items`);
  const wrong = items.find((item) => item >>> 0 !== item);
  if (wrong !== undefined) throw new RangeError(`${wrong} in a list of 32-bit numbers`);
  let p = position;
  if (items.length > 0) {
    p = writeWords(out, p, items.length, 0);
    for (const item of items) p = writeWords(out, p, item, 0);
  }
  out[p] = 0;
  return p + 1;
}
