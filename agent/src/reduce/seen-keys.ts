/**
 * Keys that were seen before, in bounded memory: two generations, of which the older is forgotten when the younger is
 * full. What is asked for again stays.
 */
import type { Key } from './key.ts';

export interface SeenKeys {
  /** Whether the key was seen; from now on it was. */
  see(key: Key): boolean;
}

/** `keysMax`: a power of two; half of it is kept at least. */
export function createSeenKeys(keysMax: number): SeenKeys {
  const places = keysMax;
  let young = new Int32Array(2 * places);
  let old = new Int32Array(2 * places);
  let count = 0;

  /** Place of the key, or the free one where it belongs. A place whose two numbers are 0 is free. */
  function placeOf(table: Int32Array, first: number, second: number): number {
    let place = first & (places - 1);
    for (;;) {
      const a = table[2 * place] as number;
      const b = table[2 * place + 1] as number;
      if ((a === first && b === second) || (a | b) === 0) return place;
      place = (place + 1) & (places - 1);
    }
  }

  function holds(table: Int32Array, place: number): boolean {
    return ((table[2 * place] as number) | (table[2 * place + 1] as number)) !== 0;
  }

  return {
    see({ first, second }) {
      const key = second | 1;
      const place = placeOf(young, first, key);
      if (holds(young, place)) return true;
      const isKnown = holds(old, placeOf(old, first, key));
      young[2 * place] = first;
      young[2 * place + 1] = key;
      count += 1;
      if (count >= places / 2) {
        [young, old] = [old, young];
        young.fill(0);
        count = 0;
      }
      return isKnown;
    },
  };
}
