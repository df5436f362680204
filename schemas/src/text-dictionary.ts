/** Distinct texts of a column in the order they came; index 0 is the empty text (ClickHouse's default key). */
import { isUtf8 } from 'node:buffer';
import { decodeRange, decodeTruncated } from './avro-reader.ts';

export interface TextDictionary {
  readonly values: readonly string[];
  /** Index of the text of `length` bytes at `at`. Throws DECODE_TRUNCATED beyond the end, DECODE_RANGE unless UTF-8. */
  indexOf(bytes: Uint8Array, at: number, length: number): number;
  /** Index of a text at hand. */
  add(text: string): number;
  /** Forgets all but the first `count`. */
  keep(count: number): void;
  reset(): void;
}

export function createTextDictionary(): TextDictionary {
  const values = [''];
  const indices = new Map([['', 0]]);
  // A column mostly repeats its last value: comparing bytes spares the string.
  let last: Uint8Array = new Uint8Array(0);
  let lastIndex = 0;

  function isLast(bytes: Uint8Array, at: number, length: number): boolean {
    if (length !== last.length) return false;
    for (let i = 0; i < length; i++) if (bytes[at + i] !== last[i]) return false;
    return true;
  }
  function add(text: string): number {
    let index = indices.get(text);
    if (index === undefined) {
      index = values.length;
      values.push(text);
      indices.set(text, index);
    }
    return index;
  }
  function keep(count: number): void {
    for (const text of values.splice(count)) indices.delete(text);
    last = new Uint8Array(0);
    lastIndex = 0;
  }
  return {
    values,
    indexOf(bytes, at, length) {
      if (isLast(bytes, at, length)) return lastIndex;
      if (at + length > bytes.length) throw decodeTruncated(bytes.length);
      if (!isUtf8(bytes.subarray(at, at + length))) throw decodeRange('UTF-8 of a text', at);
      last = bytes.slice(at, at + length);
      lastIndex = add(Buffer.from(last.buffer, last.byteOffset, length).toString('utf8'));
      return lastIndex;
    },
    add,
    keep,
    reset: () => keep(1),
  };
}
