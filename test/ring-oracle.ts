/** Ring records as an independent reader sees them: by the field table, through bigint, one byte at a time. */
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { EVENT_FIELDS, type Field, OWNER_FIELDS } from '@tcptrail/schemas/fields.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';

const FIELDS = [...EVENT_FIELDS, ...OWNER_FIELDS].filter(({ stage }) => stage === 'kernel');
const OWNERS = new Set(OWNER_FIELDS.map(({ name }) => name));
const BYTES: Readonly<Record<string, number>> = { bool: 1, u8: 1, u16: 2, u32: 4, u64: 8, time: 8 };
const NEVER_TOLD = ['unknown', 'summary'];

function rawOf(record: Buffer, { name, type }: Field): bigint {
  const at = RING[name as keyof typeof RING];
  const length = typeof type === 'object' ? 1 : (BYTES[type] ?? 0);
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(record[at + i] ?? 0);
  return value;
}

/** Field → value as avsc gives it with 64-bit values as bigint; undefined when no event can be made of the record. */
export function readRecord(
  record: Buffer,
  machine: { readonly cpus: number; readonly bootUs: number },
): Readonly<Record<string, unknown>> | undefined {
  const values: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const value = fieldValue(record, field, machine.bootUs);
    if (value === undefined) return undefined;
    values[field.name] = value;
  }
  const { kind, cpu, seq } = values as { kind: string; cpu: bigint; seq: bigint };
  const isTold = !NEVER_TOLD.includes(kind) && cpu < machine.cpus && seq >= 1n && seq < 2n ** 53n;
  return isTold ? values : undefined;
}

function fieldValue(record: Buffer, field: Field, bootUs: number): unknown {
  const { name, type } = field;
  const at = RING[name as keyof typeof RING];
  if (type === 'address') return record.subarray(at, at + 16);
  if (type === 'name16') {
    const end = record.indexOf(0, at);
    return record.toString('utf8', at, end < 0 || end > at + 16 ? at + 16 : end);
  }
  const raw = rawOf(record, field);
  if (typeof type === 'object') return ENUMS[type.enum][Number(raw)];
  if (type === 'bool') return raw < 2n ? raw === 1n : undefined;
  if (type === 'time') {
    if (raw >= 2n ** 62n) return undefined;
    return raw === 0n ? 0n : raw / 1000n + BigInt(bootUs);
  }
  if (type !== 'u64') return raw;
  if (OWNERS.has(name)) return raw < 2n ** 53n ? raw : undefined;
  // Avro's long is signed.
  return BigInt.asIntN(64, raw);
}
