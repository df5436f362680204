/** avsc as the independent reader and writer of the published schema; 64-bit values are bigint. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NEWEST, schemaUrl } from '@tcptrail/schemas/versions.ts';
import avsc from 'avsc';

export const SCHEMA_PATH = fileURLToPath(schemaUrl(NEWEST));

const longs = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

export const typeOf = (schema: avsc.Schema): avsc.Type =>
  avsc.Type.forSchema(schema, { registry: { long: longs }, wrapUnions: false });

/** The batch type of the published schema. */
export const BATCH_TYPE: avsc.Type = typeOf(JSON.parse(readFileSync(SCHEMA_PATH, 'utf8')));

/** One event of it. */
export const EVENT_TYPE = ((BATCH_TYPE as avsc.types.RecordType).field('events').type as avsc.types.ArrayType)
  .itemsType as avsc.types.RecordType;

/** Deep copy with ints as bigint, so that int and long compare alike, and prototypes dropped. */
export function plain(value: unknown): unknown {
  if (typeof value === 'number') return BigInt(value);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
