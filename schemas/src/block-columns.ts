/** Columns of a Native block of tcp_events: what each event has of its own, and what it has of its owner or batch. */
import type { Field } from './fields.ts';
import type { EventArrays, EventTexts } from './generated/decode-events.ts';
import {
  type Content,
  fixed,
  fixedWords,
  lists,
  lowCardinality,
  type Numbers,
  signed,
  strings,
  unsigned,
  unsigned64,
} from './native-block.ts';
import { restName } from './predicted.ts';
import { createTextDictionary } from './text-dictionary.ts';
import { formOf } from './types.ts';

export type Column = readonly [name: string, content: Content];

/** A column of which each event has its own value; of a predicted one `toRests` has left the difference. */
export function eventColumn(
  { name, type, predicted }: Field,
  of: {
    readonly arrays: EventArrays;
    readonly texts: EventTexts;
    readonly rows: number;
    readonly order: Uint32Array;
  },
): Column {
  const { rows, order } = of;
  const array = of.arrays[name as keyof EventArrays];
  if (Array.isArray(array)) return [name, lists(array as readonly (readonly number[])[], order)];
  const values = (array as Numbers).subarray(0, rows * (array.length / of.arrays.kind.length));
  const dictionary = name in of.texts ? of.texts[name as keyof EventTexts] : undefined;
  if (dictionary) return [name, lowCardinality(dictionary.values, values as Uint32Array, order)];
  if (predicted) return [restName({ name }), signed(values as Uint32Array, type === 'u32' ? 1 : 2, order)];
  switch (type) {
    case 'u8':
    case 'u16':
    case 'u32':
      return [name, unsigned(values, order)];
    case 'u64':
      return [name, unsigned64(values as Uint32Array, order)];
    case 'time':
      return [name, fixedWords(formOf(type).clickhouse, values as Uint32Array, 2, order)];
    case 'address':
      return [name, fixedWords(formOf(type).clickhouse, values as Uint32Array, 4, order)];
    default:
      return [name, fixed(formOf(type).clickhouse, values as Uint8Array, order)];
  }
}

/** A column whose value is the same for all rows of one item: an owner's, a batch's. */
export function spread({ name, type }: Field, items: readonly object[], itemOf: Uint32Array): Column {
  const values = items.map((item) => (item as Record<string, unknown>)[name]);
  switch (type) {
    case 'text':
    case 'name16': {
      const dictionary = createTextDictionary();
      const keys = Uint32Array.from(values, (value) => dictionary.add(value as string));
      return [name, lowCardinality(dictionary.values, keys, itemOf)];
    }
    case 'string':
      return [name, strings(values as string[], itemOf)];
    case 'u32':
      return [name, unsigned(Uint32Array.from(values as number[]), itemOf)];
    case 'u64':
    case 'time': {
      const numbers = BigInt64Array.from(values as number[], (value) => BigInt(value));
      const words = new Uint32Array(numbers.buffer);
      const content =
        type === 'u64' ? unsigned64(words, itemOf) : fixedWords(formOf(type).clickhouse, words, 2, itemOf);
      return [name, content];
    }
    default:
      throw new Error(`${name}: ${JSON.stringify(type)} has no spread form`);
  }
}
