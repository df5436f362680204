/** Avro forms of single values on the encode path; each returns the position after what it wrote. */
import { writeLong, writeWords } from './varint.ts';

const NAME_BYTES = 16;

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
  return writeLong(out, position, Math.floor((high * 0x1_0000_0000 + (low >>> 0)) / 1000) + offsetUs);
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

/** UTF-8 bytes as string. */
export function writeText(out: Uint8Array, position: number, text: Uint8Array): number {
  const p = writeWords(out, position, text.length, 0);
  if (text.length === 0) return p;
  out.set(text, p);
  return p + text.length;
}

/** Unsigned 32-bit numbers as an array of one block. */
export function writeList(out: Uint8Array, position: number, items: readonly number[]): number {
  let p = position;
  if (items.length > 0) {
    p = writeWords(out, p, items.length, 0);
    for (const item of items) p = writeWords(out, p, item, 0);
  }
  out[p] = 0;
  return p + 1;
}
