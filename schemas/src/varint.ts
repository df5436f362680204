/**
 * Avro's int and long: zigzag, then base 128, little end first (Avro specification, "Binary Encoding").
 *
 * Numbers here are safe integers; 64-bit ring words that may not be are written as two halves by `writeWords`.
 * Four bytes are stored at once where the value may take fewer: `out` must have VARINT_ROOM left.
 */

/** Most bytes one value takes. */
export const VARINT_BYTES_MAX = 10;
/** Most bytes that writing it touches. */
export const VARINT_ROOM = 12;

/** Bit 7 of each byte but the last says that another follows. */
const MORE = 0x8080_8080;

/** Of numbers below it, four bytes hold the zigzag form; of a safe integer, another four hold the rest. */
const FOUR_BYTES = 2 ** 27;

/** Writes the safe integer `value`; returns the position after it. */
export function writeLong(out: DataView, position: number, value: number): number {
  if (value >= 0) {
    const high = Math.floor(value / FOUR_BYTES);
    if (high === 0) return position + writeLast(out, position, value << 1);
    out.setUint32(position, spread((value - high * FOUR_BYTES) << 1) | MORE, true);
    return position + 4 + writeLast(out, position + 4, high);
  }
  const magnitude = -value - 1;
  // As signed words: larger ones would be put on the heap to be passed on.
  const high = Math.floor(magnitude / 0x1_0000_0000) | 0;
  return writeZigzag(out, position, magnitude | 0, high, 1);
}

/** Writes the unsigned 64-bit value of two 32-bit halves; values of 2^63 and more wrap as Avro's long does. */
export function writeWords(out: DataView, position: number, low: number, high: number): number {
  if (high === 0 && low >>> 27 === 0) return position + writeLast(out, position, low << 1);
  return high >>> 31 === 0
    ? writeZigzag(out, position, low, high, 0)
    : writeZigzag(out, position, ~low, ~high, 1);
}

function writeZigzag(out: DataView, position: number, low: number, high: number, sign: 0 | 1): number {
  let lo = (low << 1) | sign;
  let hi = (high << 1) | (low >>> 31);
  let p = position;
  while (hi !== 0 || lo >>> 28 !== 0) {
    out.setUint32(p, spread(lo) | MORE, true);
    p += 4;
    lo = (lo >>> 28) | (hi << 4);
    hi >>>= 28;
  }
  return p + writeLast(out, p, lo);
}

/** Writes what is left, less than 2^28; returns its length. */
function writeLast(out: DataView, position: number, value: number): number {
  // No loop and no branch on the length: that of one field says nothing about that of the next.
  const length = ((38 - Math.clz32(value | 1)) * 37) >> 8;
  out.setUint32(position, spread(value) | (MORE & ((1 << (8 * length - 8)) - 1)), true);
  return length;
}

/** The low 28 bits as four groups of seven, each in a byte of its own. */
function spread(value: number): number {
  return (value & 0x7f) | ((value & 0x3f80) << 1) | ((value & 0x1f_c000) << 2) | ((value & 0xfe0_0000) << 3);
}
