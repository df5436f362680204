/**
 * Avro's int and long: zigzag, then base 128, little end first (Avro specification, "Binary Encoding").
 *
 * Numbers here are safe integers; 64-bit ring words that may not be are written as two halves by `writeWords`.
 */

/** Most bytes one value takes. */
export const VARINT_BYTES_MAX = 10;

/** Writes the safe integer `value`; returns the position after it. */
export function writeLong(out: Uint8Array, position: number, value: number): number {
  if (value >= 0 && value < 0x40000000) return writeWords(out, position, value, 0);
  const magnitude = value < 0 ? -value - 1 : value;
  // As signed words: larger ones would be put on the heap to be passed on.
  const high = Math.floor(magnitude / 0x1_0000_0000) | 0;
  return writeZigzag(out, position, magnitude | 0, high, value < 0 ? 1 : 0);
}

/** Writes the unsigned 64-bit value of two 32-bit halves; values of 2^63 and more wrap as Avro's long does. */
export function writeWords(out: Uint8Array, position: number, low: number, high: number): number {
  if (high === 0 && low >>> 0 < 64) {
    out[position] = low << 1;
    return position + 1;
  }
  return high >>> 31 === 0
    ? writeZigzag(out, position, low, high, 0)
    : writeZigzag(out, position, ~low, ~high, 1);
}

function writeZigzag(out: Uint8Array, position: number, low: number, high: number, sign: 0 | 1): number {
  let p = position;
  let lo = ((low << 1) | sign) >>> 0;
  let hi = ((high << 1) | (low >>> 31)) >>> 0;
  while (hi !== 0) {
    out[p++] = (lo & 0x7f) | 0x80;
    lo = ((lo >>> 7) | (hi << 25)) >>> 0;
    hi >>>= 7;
  }
  while (lo > 0x7f) {
    out[p++] = (lo & 0x7f) | 0x80;
    lo >>>= 7;
  }
  out[p++] = lo;
  return p;
}
