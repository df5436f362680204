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
  /** An unsigned value of at most `limit`, itself at most 2^32 - 1. */
  unsigned(datum: Uint8Array, at: number, name: string, limit: number): number;
  /** An array of unsigned 32-bit values. */
  list(datum: Uint8Array, at: number, name: string): readonly number[];
}

const ANY = 0xffffffff;
const NEGATIVE = 0xffffffff;
const HIGH_MAX = 0x7fffffff;

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
      let low = 0;
      let high = 0;
      let p = at;
      let byte = 0x80;
      for (let shift = 0; byte >= 0x80; shift += 7) {
        byte = datum[p++] ?? -1;
        if (byte < 0) throw decodeTruncated(datum.length);
        const bits = byte & 0x7f;
        if (shift < 28) low |= bits << shift;
        else if (shift === 28) {
          low |= bits << 28;
          high = bits >>> 4;
        } else if (shift < 63) high |= bits << (shift - 32);
        else if (shift === 63 && byte <= 1) high |= byte << 31;
        else throw decodeRange(name, at);
      }
      const sign = -(low & 1);
      reader.low = (((low >>> 1) | (high << 31)) ^ sign) >>> 0;
      reader.high = ((high >>> 1) ^ sign) >>> 0;
      if (reader.high > highMax) throw decodeRange(name, at);
      reader.next = p;
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
