/** How generated code reads a ring record: at byte `at` of `bytes`, which is word `w` of `words`. */
import { EVENT_FIELDS, type Field, OWNER_FIELDS } from '../fields.ts';
import { ringLayout } from '../types.ts';

const OFFSETS = new Map(
  ringLayout([...EVENT_FIELDS, ...OWNER_FIELDS]).members.map(({ field, offset }) => [field.name, offset]),
);

/** In bytes, from the start of the record. */
export function offsetOf(field: Field): number {
  const offset = OFFSETS.get(field.name);
  if (offset === undefined) throw new Error(`${field.name} is not in the ring`);
  return offset;
}

export const wordAt = (offset: number): string => `(words[w + ${offset >> 2}] as number)`;
export const byteAt = (offset: number): string => part(offset, 0xff);
export const halfAt = (offset: number): string => part(offset, 0xffff);

/** Out of its word, little end first: cheaper than a read of each byte, and of two in one word. */
function part(offset: number, mask: number): string {
  const bits = 8 * (offset % 4);
  const word = wordAt(offset & ~3);
  return `(${bits === 0 ? word : `(${word} >>> ${bits})`} & ${mask})`;
}
