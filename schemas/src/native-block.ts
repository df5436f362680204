/**
 * ClickHouse's Native format: varint columns, varint rows, then per column its name, its type and its values
 * (ClickHouse documentation, "Native"; LowCardinality as the server's SerializationLowCardinality writes it).
 *
 * A column is given by items and, for each row, which item it has: a batch's, an owner's, or its own.
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

/** A column of whole numbers. */
export function unsigned(values: Numbers, itemOf: Uint32Array): Content {
  return narrow({ values, step: 1, itemOf });
}

/** As `unsigned`, of 64-bit numbers: two words each, low first. */
export function unsigned64(words: Uint32Array, itemOf: Uint32Array): Content {
  for (let high = 1; high < words.length; high += 2) {
    if (words[high] !== 0) return wide('UInt64', words, 2, itemOf);
  }
  return narrow({ values: words, step: 2, itemOf });
}

/** A column of differences, which wrap: numbers of one word or, low first, of two. */
export function signed(words: Uint32Array, step: 1 | 2, itemOf: Uint32Array): Content {
  if (isZero(words)) return undefined;
  let all = 0;
  for (let index = 0; index < words.length; index += step) {
    const low = words[index] as number;
    const sign = low >> 31;
    if (step === 2 && ((words[index + 1] as number) | 0) !== sign) return wide('Int64', words, 2, itemOf);
    all |= low ^ sign;
  }
  const width = all <= 0x7f ? 1 : all <= 0x7fff ? 2 : 4;
  return numbers(`Int${8 * width}`, { values: words, step, itemOf }, width);
}

/** A column of a type that is kept as it is, of one byte or two; its default is 0. */
export function fixed(type: string, values: Uint8Array | Uint16Array, itemOf: Uint32Array): Content {
  if (isZero(values)) return undefined;
  const width = values.BYTES_PER_ELEMENT as 1 | 2;
  return numbers(type, { values, step: 1, itemOf }, width);
}

/** As `fixed`, of a type of 2 or 4 words. */
export function fixedWords(type: string, words: Uint32Array, width: 2 | 4, itemOf: Uint32Array): Content {
  return isZero(words) ? undefined : wide(type, words, width, itemOf);
}

/** A LowCardinality(String) column: the item's index among `keys`. `keys[0]` must be ''. */
export function lowCardinality(keys: readonly string[], indices: Uint32Array, itemOf: Uint32Array): Content {
  const SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS = 1n;
  const HAS_ADDITIONAL_KEYS = 1n << 9n;
  const NEED_UPDATE_DICTIONARY = 1n << 10n;
  if (isZero(indices)) return undefined;
  const width = keys.length <= 0x100 ? 1 : keys.length <= 0x1_0000 ? 2 : 4;
  const flags = HAS_ADDITIONAL_KEYS | NEED_UPDATE_DICTIONARY | BigInt(width >> 1);
  const head = Buffer.concat([
    words64(SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS, flags, BigInt(keys.length)),
    ...keys.map(text),
    words64(BigInt(itemOf.length)),
  ]);
  return {
    type: 'LowCardinality(String)',
    bytes: head.length + width * itemOf.length,
    write(out, at) {
      out.set(head, at);
      out.set(gather({ values: indices, step: 1, itemOf }, width), at + head.length);
    },
  };
}

/** An Array(UInt32) column: ends of the rows' lists, then their items. */
export function lists(items: readonly (readonly number[])[], itemOf: Uint32Array): Content {
  let count = 0;
  for (const item of itemOf) count += items[item]?.length ?? 0;
  if (count === 0) return undefined;
  const rows = itemOf.length;
  return {
    type: 'Array(UInt32)',
    bytes: 8 * rows + 4 * count,
    write(out, at) {
      let end = 0;
      for (let row = 0; row < rows; row++) {
        for (const number of items[itemOf[row] as number] ?? [])
          out.writeUInt32LE(number, at + 8 * rows + 4 * end++);
        out.writeBigUInt64LE(BigInt(end), at + 8 * row);
      }
    },
  };
}

/** A String column. */
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

/** Where the numbers of a column stand: each `step`th of `values`, by item. */
interface Source {
  readonly values: Numbers;
  readonly step: 1 | 2;
  readonly itemOf: Uint32Array;
}

function narrow(source: Source): Content {
  const { values, step } = source;
  const all = union(values, step);
  if (all === 0) return undefined;
  const width = all <= 0xff ? 1 : all <= 0xffff ? 2 : 4;
  return numbers(`UInt${8 * width}`, source, width);
}

function numbers(type: string, source: Source, width: 1 | 2 | 4): Values {
  return {
    type,
    bytes: width * source.itemOf.length,
    write: (out, at) => out.set(gather(source, width), at),
  };
}

function wide(type: string, words: Uint32Array, width: 2 | 4, itemOf: Uint32Array): Values {
  return {
    type,
    bytes: 4 * width * itemOf.length,
    write: (out, at) => out.set(gatherWords(words, width, itemOf), at),
  };
}

/** Values of the rows, one after another, until the next call: in a place of their own, as columns begin at any byte. */
let gathered = new ArrayBuffer(0);

function room(bytes: number): ArrayBuffer {
  if (bytes > gathered.byteLength) gathered = new ArrayBuffer(bytes);
  return gathered;
}

/** Loops apart, so that each knows its array. */
function gather({ values, step, itemOf }: Source, width: 1 | 2 | 4): Uint8Array {
  const rows = itemOf.length;
  const buffer = room(width * rows);
  if (width === 1) {
    const into = new Uint8Array(buffer, 0, rows);
    for (let row = 0; row < rows; row++) into[row] = values[step * (itemOf[row] as number)] as number;
  } else if (width === 2) {
    const into = new Uint16Array(buffer, 0, rows);
    for (let row = 0; row < rows; row++) into[row] = values[step * (itemOf[row] as number)] as number;
  } else {
    const into = new Uint32Array(buffer, 0, rows);
    for (let row = 0; row < rows; row++) into[row] = values[step * (itemOf[row] as number)] as number;
  }
  return new Uint8Array(buffer, 0, width * rows);
}

function gatherWords(words: Uint32Array, width: 2 | 4, itemOf: Uint32Array): Uint8Array {
  const rows = itemOf.length;
  const buffer = room(4 * width * rows);
  const into = new Uint32Array(buffer, 0, width * rows);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const from = width * (itemOf[row] as number);
    into[at++] = words[from] as number;
    into[at++] = words[from + 1] as number;
    if (width === 2) continue;
    into[at++] = words[from + 2] as number;
    into[at++] = words[from + 3] as number;
  }
  return new Uint8Array(buffer, 0, 4 * width * rows);
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

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uleb128(bytes.length), bytes]);
}

function words64(...values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

function uleb128(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
