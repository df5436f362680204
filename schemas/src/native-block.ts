/**
 * ClickHouse's Native format: varint columns, varint rows, then per column its name, its type and its values
 * (ClickHouse documentation, "Native"; LowCardinality as the server's SerializationLowCardinality writes it).
 */

export interface NativeColumn {
  readonly name: string;
  readonly type: string;
  /** Values of the column, as the pieces of its bytes. */
  readonly data: readonly Uint8Array[];
}

/** One Native block. Every column must hold `rows` values. */
export function nativeBlock(columns: readonly NativeColumn[], rows: number): Uint8Array {
  const pieces: Uint8Array[] = [uleb128(columns.length), uleb128(rows)];
  for (const column of columns) pieces.push(text(column.name), text(column.type), ...column.data);
  return Buffer.concat(pieces);
}

/** Keys and indices of a LowCardinality(String) column. `keys[0]` must be ''. */
export function lowCardinality(keys: readonly string[], indices: Uint32Array): readonly Uint8Array[] {
  const SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS = 1n;
  const HAS_ADDITIONAL_KEYS = 1n << 9n;
  const NEED_UPDATE_DICTIONARY = 1n << 10n;
  const [width, narrow] =
    keys.length <= 0xff
      ? [0n, Uint8Array.from(indices)]
      : keys.length <= 0xffff
        ? [1n, Uint16Array.from(indices)]
        : [2n, indices];
  return [
    words(SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS, HAS_ADDITIONAL_KEYS | NEED_UPDATE_DICTIONARY | width),
    words(BigInt(keys.length)),
    ...keys.map(text),
    words(BigInt(indices.length)),
    bytesOf(narrow),
  ];
}

/** An Array(UInt32) column: ends of the lists, then their items. */
export function lists(rows: readonly (readonly number[])[]): readonly Uint8Array[] {
  let end = 0;
  const ends = BigUint64Array.from(rows, (row) => {
    end += row.length;
    return BigInt(end);
  });
  return [bytesOf(ends), bytesOf(Uint32Array.from(rows.flat()))];
}

/** A String column. */
export function strings(rows: readonly string[]): readonly Uint8Array[] {
  return rows.map(text);
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
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
