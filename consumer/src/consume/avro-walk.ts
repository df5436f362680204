/** Walks a datum by its schema without keeping anything, before a decoder that trusts lengths and counts sees it. */
import { type AvroReader, createAvroReader, decodeRange } from '@tcptrail/schemas/avro-reader.ts';
import type { Schema } from 'avsc';

type Definition = {
  readonly type: string;
  readonly name?: string;
  readonly fields?: readonly { readonly name: string; readonly type: Schema }[];
  readonly items?: Schema;
  readonly values?: Schema;
  readonly symbols?: readonly string[];
  readonly size?: number;
};

/**
 * Throws DECODE_TRUNCATED, DECODE_RANGE or DECODE_TRAILING unless the datum is one of `schema` and nothing more.
 * Of a count no more is believed than the datum has bytes.
 */
export function assertWhole(schema: Schema, datum: Uint8Array): void {
  const reader = createAvroReader(datum);
  const named = new Map<string, Definition>();

  function items(of: Schema, what: string, before: () => void = () => {}): void {
    for (let count = reader.long(); count !== 0; count = reader.long()) {
      if (count < 0) reader.long();
      if (Math.abs(count) > datum.length - reader.position) throw decodeRange(what, reader.position);
      for (let left = Math.abs(count); left > 0; left--) {
        before();
        walk(of);
      }
    }
  }
  function walkNamed(definition: Definition): void {
    const { type, name = '', fields = [], symbols = [], size = 0 } = definition;
    named.set(name, definition);
    if (type === 'fixed') reader.skip(size);
    else if (type === 'enum') indexOf(reader, symbols.length, name);
    else for (const field of fields) walk(field.type);
  }
  function walk(of: Schema): void {
    if (Array.isArray(of)) walk(of[indexOf(reader, of.length, 'union')] as Schema);
    else if (typeof of === 'string') {
      const definition = named.get(of);
      if (definition) walkNamed(definition);
      else walkPrimitive(reader, of);
    } else {
      const definition = of as Definition;
      if (definition.type === 'array') items(definition.items as Schema, 'array');
      else if (definition.type === 'map') {
        items(definition.values as Schema, 'map', () => void reader.string());
      } else if (definition.name !== undefined) walkNamed(definition);
      else walk(definition.type as Schema);
    }
  }
  walk(schema);
  reader.end();
}

function walkPrimitive(reader: AvroReader, type: string): void {
  if (type === 'null') return;
  if (type === 'boolean') reader.boolean();
  else if (type === 'string') reader.string();
  else if (type === 'bytes') reader.skip(reader.long());
  else if (type === 'float') reader.skip(4);
  else if (type === 'double') reader.skip(8);
  else reader.skipLong();
}

function indexOf(reader: AvroReader, length: number, what: string): number {
  const at = reader.position;
  const index = reader.long();
  if (index < 0 || index >= length) throw decodeRange(what, at);
  return index;
}
