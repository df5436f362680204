/** Ring records as plain values, by the field table: slow and independent of the product's encoder. */
import { isIPv6 } from 'node:net';
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { EVENT_FIELDS, OWNER_FIELDS } from '@tcptrail/schemas/fields.ts';
import { ringLayout } from '@tcptrail/schemas/types.ts';

export type Value = string | number;
export type RingRecord = Readonly<Record<string, Value>>;

const { members } = ringLayout([...EVENT_FIELDS, ...OWNER_FIELDS]);

function addressOf(bytes: Buffer): string {
  if (bytes.subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex')))
    return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const text = groups
    .join(':')
    .replace(/\b0(:0\b)+/, ':')
    .replace(/:{3,}/, '::')
    .replace(/^:1$/, '::1');
  return isIPv6(text) ? text : groups.join(':');
}

export function recordAt(memory: Uint8Array, at: number): RingRecord {
  const all = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength);
  return Object.fromEntries(
    members.map(({ field, offset, bytes }): [string, Value] => {
      const slice = all.subarray(at + offset, at + offset + bytes);
      if (field.type === 'address') return [field.name, addressOf(slice)];
      if (field.type === 'name16') return [field.name, slice.toString('latin1').replace(/\0.*$/s, '')];
      if (bytes === 8) return [field.name, Number(slice.readBigUInt64LE())];
      const number = slice.readUIntLE(0, bytes);
      if (typeof field.type === 'object') return [field.name, ENUMS[field.type.enum][number] ?? `?${number}`];
      return [field.name, number];
    }),
  );
}
