/** Avro forms of single values on the encode path; each returns the position after what it wrote. */
import { writeWords } from './varint.ts';

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

/** A NUL-padded name of 16 bytes as string. */
export function writeName(out: DataView, position: number, bytes: Uint8Array, at: number): number {
  let length = 0;
  for (; length < NAME_BYTES; length++) {
    const byte = bytes[at + length] as number;
    if (byte === 0) break;
    out.setUint8(position + 1 + length, byte);
  }
  out.setUint8(position, length << 1);
  return position + 1 + length;
}

/** UTF-8 bytes as string. Throws a RangeError for more than TEXT_BYTES_MAX, and has then written nothing. */
export function writeText(out: DataView, position: number, text: Uint8Array): number {
  if (text.length > TEXT_BYTES_MAX) throw new RangeError(`text of ${text.length} bytes`);
  if (text.length === 0) return writeEmpty(out, position);
  const p = writeWords(out, position, text.length, 0);
  for (let index = 0; index < text.length; index++) out.setUint8(p + index, text[index] as number);
  return p + text.length;
}

/**
 * Unsigned 32-bit numbers as an array of one block. Throws a RangeError for more than LIST_ITEMS_MAX or another
 * number, and has then written nothing.
 */
export function writeList(out: DataView, position: number, items: readonly number[]): number {
  if (items.length > LIST_ITEMS_MAX) throw new RangeError(`list of ${items.length} items`);
  if (items.length === 0) return writeEmpty(out, position);
  const wrong = items.find((item) => item >>> 0 !== item);
  if (wrong !== undefined) throw new RangeError(`${wrong} in a list of 32-bit numbers`);
  let p = writeWords(out, position, items.length, 0);
  for (const item of items) p = writeWords(out, p, item, 0);
  return writeEmpty(out, p);
}

function writeEmpty(out: DataView, position: number): number {
  out.setUint8(position, 0);
  return position + 1;
}
