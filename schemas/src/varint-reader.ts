/** The slow paths of the generated event decoder: values of more than one byte. Results stand in the reader. */
import type { AppError } from './app-error.ts';
import { decodeRange, decodeTruncated } from './avro-reader.ts';

export interface VarintReader {
  /** Halves of the last 64-bit value, and the position after the last value. */
  low: number;
  high: number;
  next: number;
  /** A value of 64 bits into `low` and `high`, two's complement; the latter at most `highMax`. */
  read(datum: Uint8Array, at: number, name: string, highMax: number): void;
  /** As `read`, of a safe integer, fast where it is a time of our days in µs, which takes eight bytes. */
  time(datum: Uint8Array, view: DataView, at: number, name: string): void;
  /** An unsigned value of at most `limit`, itself at most 2^32 - 1. */
  unsigned(datum: Uint8Array, at: number, name: string, limit: number): number;
  /** An array of unsigned 32-bit values. */
  list(datum: Uint8Array, at: number, name: string): readonly number[];
}

const ANY = 0xffffffff;
const NEGATIVE = 0xffffffff;
const HIGH_MAX = 0x7fffffff;
/** A time is a safe integer, as in the envelope. */
const TIME_HIGH_MAX = 0x1fffff;
const MORE_MAYBE = 0x80_8080;

/** The error for a value at `at` that is out of range, or beyond the end of the bytes. */
export function range(name: string, at: number, length: number): AppError {
  return at >= length ? decodeTruncated(length) : decodeRange(name, at);
}

export function createVarintReader(): VarintReader {
  const reader: VarintReader = {
    low: 0,
    high: 0,
    next: 0,
    read(datum, at, name, highMax) {
      let p = at;
      // Beyond the end there is nothing, which counts as 0 and ends the number.
      let byte = datum[p++] as number;
      let low = byte & 0x7f;
      let high = 0;
      for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
        byte = datum[p++] as number;
        low |= (byte & 0x7f) << shift;
      }
      if (byte >= 0x80) {
        byte = datum[p++] as number;
        low |= byte << 28;
        high = (byte & 0x7f) >>> 4;
        for (let shift = 3; byte >= 0x80 && shift < 31; shift += 7) {
          byte = datum[p++] as number;
          high |= (byte & 0x7f) << shift;
        }
        if (byte >= 0x80) {
          byte = datum[p++] as number;
          if (byte > 1) throw decodeRange(name, at);
          high |= byte << 31;
        }
      }
      if (p > datum.length) throw decodeTruncated(datum.length);
      const sign = -(low & 1);
      reader.low = (((low >>> 1) | (high << 31)) ^ sign) >>> 0;
      reader.high = ((high >>> 1) ^ sign) >>> 0;
      if (reader.high > highMax) throw decodeRange(name, at);
      reader.next = p;
    },
    time(datum, view, at, name) {
      if (at + 8 <= datum.length) {
        const w = view.getInt32(at, true);
        const x = view.getInt32(at + 4, true);
        const high = joined(x);
        const isEight = (w & x & MORE_MAYBE) === MORE_MAYBE && w < 0 && x >= 0;
        if (isEight && (w & 1) === 0 && high >>> 5 <= TIME_HIGH_MAX) {
          reader.low = ((joined(w) >>> 1) | (high << 27)) >>> 0;
          reader.high = high >>> 5;
          reader.next = at + 8;
          return;
        }
      }
      reader.read(datum, at, name, TIME_HIGH_MAX);
    },
    unsigned(datum, at, name, limit) {
      reader.read(datum, at, name, 0);
      if (reader.low > limit) throw decodeRange(name, at);
      return reader.low;
    },
    list(datum, at, name) {
      const items: number[] = [];
      reader.next = at;
      for (;;) {
        reader.read(datum, reader.next, name, ANY);
        const isSized = reader.high === NEGATIVE;
        if (!isSized && reader.high !== 0) throw decodeRange(name, at);
        const count = isSized ? -(reader.low | 0) : reader.low;
        if (count === 0 && !isSized) return items;
        // A block that gives its size has a negative count; each item is a byte at least.
        if (isSized) reader.read(datum, reader.next, name, HIGH_MAX);
        if (count <= 0 || count > datum.length - reader.next) throw decodeRange(name, at);
        for (let index = 0; index < count; index++) {
          items.push(reader.unsigned(datum, reader.next, name, 0xffffffff));
        }
      }
    },
  };
  return reader;
}

/** Seven bits of each byte, little end first. */
function joined(word: number): number {
  return (word & 0x7f) | ((word >>> 1) & 0x3f80) | ((word >>> 2) & 0x1f_c000) | ((word >>> 3) & 0xfe0_0000);
}
