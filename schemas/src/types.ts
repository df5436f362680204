/** The forms of each field type: C, Avro, ClickHouse. One row a type. */
import { ENUMS } from './enums.ts';
import type { Field, Type } from './fields.ts';

interface Form {
  /** C member type and its size in bytes; absent: never in the ring. */
  readonly c?: { readonly type: string; readonly bytes: number; readonly array?: number };
  readonly avro: unknown;
  /** ClickHouse type and the codec used unless the field names one. */
  readonly clickhouse: string;
  readonly codec: string;
}

export const ADDRESS_BYTES = 16;
export const NAME_BYTES = 16;

const FORMS: Record<Exclude<Type, object>, Form> = {
  bool: { c: { type: '__u8', bytes: 1 }, avro: 'boolean', clickhouse: 'Bool', codec: 'ZSTD(1)' },
  u8: { c: { type: '__u8', bytes: 1 }, avro: 'int', clickhouse: 'UInt8', codec: 'ZSTD(1)' },
  u16: { c: { type: '__u16', bytes: 2 }, avro: 'int', clickhouse: 'UInt16', codec: 'ZSTD(1)' },
  u32: { c: { type: '__u32', bytes: 4 }, avro: 'long', clickhouse: 'UInt32', codec: 'T64, ZSTD(1)' },
  u64: { c: { type: '__u64', bytes: 8 }, avro: 'long', clickhouse: 'UInt64', codec: 'T64, ZSTD(1)' },
  time: {
    c: { type: '__u64', bytes: 8 },
    avro: { type: 'long', logicalType: 'timestamp-micros' },
    clickhouse: "DateTime64(6, 'UTC')",
    codec: 'Delta(8), ZSTD(1)',
  },
  address: {
    c: { type: '__u8', bytes: ADDRESS_BYTES, array: ADDRESS_BYTES },
    avro: 'Address',
    clickhouse: 'IPv6',
    codec: 'ZSTD(1)',
  },
  name16: {
    c: { type: 'char', bytes: NAME_BYTES, array: NAME_BYTES },
    avro: 'string',
    clickhouse: 'LowCardinality(String)',
    codec: 'ZSTD(1)',
  },
  text: { avro: 'string', clickhouse: 'LowCardinality(String)', codec: 'ZSTD(1)' },
  string: { avro: 'string', clickhouse: 'String', codec: 'ZSTD(1)' },
  'u32[]': { avro: { type: 'array', items: 'long' }, clickhouse: 'Array(UInt32)', codec: 'T64, ZSTD(1)' },
  owner: { avro: 'int', clickhouse: '', codec: '' },
};

export function formOf(type: Type): Form {
  if (typeof type === 'string') return FORMS[type];
  const symbols = ENUMS[type.enum].map((symbol, index) => `'${symbol}' = ${index}`);
  return {
    c: { type: '__u8', bytes: 1 },
    avro: type.enum,
    clickhouse: `Enum8(${symbols.join(', ')})`,
    codec: 'ZSTD(1)',
  };
}

export interface RingMember {
  readonly field: Field;
  readonly offset: number;
  readonly bytes: number;
}

/** For other versions: bytes of the record, then `name:offset:bytes` of each member, a blank between. */
export function ringLayoutText({ members, bytes }: ReturnType<typeof ringLayout>): string {
  return [bytes, ...members.map(({ field, offset, bytes: size }) => `${field.name}:${offset}:${size}`)].join(
    ' ',
  );
}

/** Members of the ring record by falling alignment, so that it has no holes but the tail's. */
export function ringLayout(fields: readonly Field[]): { members: readonly RingMember[]; bytes: number } {
  const alignment = (field: Field): number => {
    const c = formOf(field.type).c;
    if (!c) throw new Error(`${field.name}: type has no ring form`);
    return c.array ? (field.type === 'address' ? 8 : 4) : c.bytes;
  };
  let offset = 0;
  const members = fields
    .filter((field) => field.stage === 'kernel')
    .toSorted((a, b) => alignment(b) - alignment(a))
    .map((field) => {
      const bytes = formOf(field.type).c?.bytes ?? 0;
      const member = { field, offset, bytes };
      offset += bytes;
      return member;
    });
  return { members, bytes: Math.ceil(offset / 8) * 8 };
}
