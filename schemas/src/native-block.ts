/**
 * ClickHouse's Native format: varint columns, varint rows, then per column its name, its type and its values
 * (ClickHouse documentation, "Native"; LowCardinality as the server's SerializationLowCardinality writes it).
 *
 * A block says no more than it must: a column of nothing but its type's default is left out, which ClickHouse fills,
 * and numbers have the narrowest type that holds them, which ClickHouse widens.
 */

/** Type of a column in the block, and its values, which are written when their place is known. */
export interface Values {
  readonly type: string;
  readonly bytes: number;
  write(out: Buffer, at: number): void;
}

/** Undefined: all are the default. */
export type Content = Values | undefined;

export type Numbers = Uint8Array | Uint16Array | Uint32Array;

/** Values that are looked at before their width is. */
const LOOK = 1024;

export interface BlockWriter {
  /**
   * One Native block of the named columns, every one of `rows` values. The bytes are those of the next call, too:
   * copy them to keep them.
   */
  write(columns: readonly (readonly [name: string, content: Content])[], rows: number): Buffer;
}

export function createBlockWriter(): BlockWriter {
  let out = Buffer.alloc(0);
  return {
    write(columns, rows) {
      const present = columns.flatMap(([name, content]) => (content ? [{ name, content }] : []));
      const heads = present.map(({ name, content }) => Buffer.concat([text(name), text(content.type)]));
      const start = Buffer.concat([uleb128(present.length), uleb128(rows)]);
      const bytes = [...heads, start, ...present.map(({ content }) => ({ length: content.bytes }))].reduce(
        (sum, { length }) => sum + length,
        0,
      );
      if (bytes > out.length) out = Buffer.allocUnsafeSlow(Math.max(bytes, Math.floor(1.25 * out.length)));
      out.set(start, 0);
      let at = start.length;
      for (const [index, { content }] of present.entries()) {
        const head = heads[index] ?? start;
        out.set(head, at);
        at += head.length;
        content.write(out, at);
        at += content.bytes;
      }
      return out.subarray(0, at);
    },
  };
}

/** A column of whole numbers: of each row the value, or that of its item. */
export function unsigned(values: Numbers, itemOf?: Uint32Array): Content {
  return narrow({ values, step: 1, itemOf });
}

/** As `unsigned`, of 64-bit numbers: two words each, low first. */
export function unsigned64(words: Uint32Array, itemOf?: Uint32Array): Content {
  for (let high = 1; high < words.length; high += 2) {
    if (words[high] !== 0) return itemOf ? spread64('UInt64', words, itemOf) : plain('UInt64', words);
  }
  return narrow({ values: words, step: 2, itemOf });
}

/** A column of a type that is kept as it is; its default is all zeros. */
export function fixed(type: string, values: Numbers): Content {
  return isZero(values) ? undefined : plain(type, values);
}

/** As `fixed`, of a type of 64 bits: of each row the two words of its item. */
export function fixed64(type: string, words: Uint32Array, itemOf: Uint32Array): Content {
  return isZero(words) ? undefined : spread64(type, words, itemOf);
}

/** Keys and indices of a LowCardinality(String) column: of each row, or of its item. `keys[0]` must be ''. */
export function lowCardinality(keys: readonly string[], indices: Uint32Array, itemOf?: Uint32Array): Content {
  const SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS = 1n;
  const HAS_ADDITIONAL_KEYS = 1n << 9n;
  const NEED_UPDATE_DICTIONARY = 1n << 10n;
  if (isZero(indices)) return undefined;
  const width = keys.length <= 0x100 ? 1 : keys.length <= 0x1_0000 ? 2 : 4;
  const rows = (itemOf ?? indices).length;
  const flags = HAS_ADDITIONAL_KEYS | NEED_UPDATE_DICTIONARY | BigInt(width >> 1);
  const head = Buffer.concat([
    words(SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS, flags, BigInt(keys.length)),
    ...keys.map(text),
    words(BigInt(rows)),
  ]);
  return {
    type: 'LowCardinality(String)',
    bytes: head.length + width * rows,
    write(out, at) {
      out.set(head, at);
      writeNumbers({ values: indices, step: 1, itemOf }, width, { out, at: at + head.length });
    },
  };
}

/** An Array(UInt32) column of the first `count` lists: their ends, then their items. */
export function lists(rows: readonly (readonly number[])[], count: number): Content {
  let items = 0;
  for (let row = 0; row < count; row++) items += rows[row]?.length ?? 0;
  if (items === 0) return undefined;
  return {
    type: 'Array(UInt32)',
    bytes: 8 * count + 4 * items,
    write(out, at) {
      let end = 0;
      for (let row = 0; row < count; row++) {
        for (const item of rows[row] ?? []) out.writeUInt32LE(item, at + 8 * count + 4 * end++);
        out.writeBigUInt64LE(BigInt(end), at + 8 * row);
      }
    },
  };
}

/** A String column: of each row the text of its item. */
export function strings(texts: readonly string[], itemOf: Uint32Array): Content {
  if (texts.every((value) => value === '')) return undefined;
  const encoded = texts.map(text);
  let bytes = 0;
  for (const item of itemOf) bytes += encoded[item]?.length ?? 0;
  return {
    type: 'String',
    bytes,
    write(out, at) {
      let position = at;
      for (const item of itemOf) {
        const value = encoded[item];
        if (!value) continue;
        out.set(value, position);
        position += value.length;
      }
    },
  };
}

/** Where the numbers of a column stand: each `step`th of `values`, by row or by the row's item. */
interface Source {
  readonly values: Numbers;
  readonly step: 1 | 2;
  readonly itemOf: Uint32Array | undefined;
}

function narrow(source: Source): Content {
  const { values, step, itemOf } = source;
  const all = union(values, step);
  if (all === 0) return undefined;
  const width = all <= 0xff ? 1 : all <= 0xffff ? 2 : 4;
  const rows = itemOf?.length ?? values.length / step;
  return {
    type: `UInt${8 * width}`,
    bytes: width * rows,
    write: (out, at) => writeNumbers(source, width, { out, at }),
  };
}

function plain(type: string, values: Numbers): Values {
  return { type, bytes: values.byteLength, write: (out, at) => out.set(bytesOf(values), at) };
}

function spread64(type: string, values: Uint32Array, itemOf: Uint32Array): Values {
  return {
    type,
    bytes: 8 * itemOf.length,
    write(out, at) {
      const items = bytesOf(values);
      for (let row = 0; row < itemOf.length; row++) {
        const from = 8 * (itemOf[row] as number);
        for (let byte = 0; byte < 8; byte++) out[at + 8 * row + byte] = items[from + byte] as number;
      }
    },
  };
}

function writeNumbers(
  { values, step, itemOf }: Source,
  width: 1 | 2 | 4,
  { out, at }: { readonly out: Buffer; readonly at: number },
): void {
  if (!itemOf && step === 1 && width === values.BYTES_PER_ELEMENT) {
    out.set(bytesOf(values), at);
    return;
  }
  const rows = itemOf?.length ?? values.length / step;
  let position = at;
  for (let row = 0; row < rows; row++) {
    const value = values[step * (itemOf ? (itemOf[row] as number) : row)] as number;
    out[position++] = value;
    if (width === 1) continue;
    out[position++] = value >>> 8;
    if (width === 2) continue;
    out[position++] = value >>> 16;
    out[position++] = value >>> 24;
  }
}

/** Bits that the values have, all of them or enough to say that they need the widest type. */
function union(values: Numbers, step: number): number {
  let all = 0;
  for (let from = 0; from < values.length && all >= 0 && all <= 0xffff; from += LOOK) {
    const to = Math.min(values.length, from + LOOK);
    for (let index = from; index < to; index += step) all |= values[index] as number;
  }
  return all >>> 0;
}

function isZero(values: Numbers): boolean {
  for (let index = 0; index < values.length; index++) if (values[index] !== 0) return false;
  return true;
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uleb128(bytes.length), bytes]);
}

function words(...values: readonly bigint[]): Uint8Array {
  return bytesOf(BigUint64Array.from(values));
}

function uleb128(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
