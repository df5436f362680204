/**
 * The golden event at every stage: ring bytes, JSON, Avro bytes, stored row, under fixtures/golden/.
 *
 * Every field has a value of its own, so that no two can change places unseen. The files are frozen; after a
 * change of the field table `node test/golden.ts` writes them anew, and the difference is reviewed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeBatch } from '@tcptrail/schemas/batch.ts';
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { EVENT_FIELDS, type Field, OWNER_FIELDS } from '@tcptrail/schemas/fields.ts';
import { type AgentFields, EVENT_BYTES_MAX, encodeEvent } from '@tcptrail/schemas/generated/encode-event.ts';
import { RING, RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { wordsOf } from './random-event.ts';
import { sampleEnvelope } from './sample-batch.ts';

const FOLDER = join(import.meta.dirname, 'fixtures/golden');
const BOOT_US = 1_790_000_000_000_000;

export type GoldenEvent = Readonly<Record<string, string | number | boolean | readonly number[]>>;

export function readGolden(name: 'event.json' | 'row.json'): GoldenEvent {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
}

export function readGoldenBytes(name: 'ring.hex' | 'batch.hex'): Buffer {
  return Buffer.from(readFileSync(join(FOLDER, name), 'utf8').replaceAll(/\s/g, ''), 'hex');
}

const ring = (name: string): number => RING[name as keyof typeof RING];

/** The event as JSON → the record the kernel would have put into the ring. */
export function goldenRing(event: GoldenEvent): Uint8Array {
  const bytes = Buffer.alloc(RING_EVENT_BYTES);
  for (const field of [...EVENT_FIELDS, ...OWNER_FIELDS]) {
    const value = event[field.name];
    if (field.stage !== 'kernel' || value === undefined) continue;
    const at = ring(field.name);
    if (typeof field.type === 'object')
      bytes[at] = (ENUMS[field.type.enum] as readonly unknown[]).indexOf(value);
    else if (field.type === 'bool') bytes[at] = value ? 1 : 0;
    else if (field.type === 'name16') bytes.write(String(value), at, 'latin1');
    else if (field.type === 'address') Buffer.from(String(value), 'hex').copy(bytes, at);
    else if (field.type === 'u8') bytes[at] = Number(value);
    else if (field.type === 'u16') bytes.writeUInt16LE(Number(value), at);
    else if (field.type === 'u32') bytes.writeUInt32LE(Number(value), at);
    else
      bytes.writeBigUInt64LE(
        field.type === 'time' ? BigInt(Number(value) - BOOT_US) * 1000n : BigInt(Number(value)),
        at,
      );
  }
  return bytes;
}

/** Ring bytes and what the agent adds → the batch datum. */
export function goldenBatch(record: Uint8Array, event: GoldenEvent): Uint8Array {
  const agent: Record<string, unknown> = { clock_offset_us: BOOT_US };
  for (const field of EVENT_FIELDS.filter(({ stage }) => stage === 'agent')) {
    const value = event[field.name];
    if (typeof field.type === 'object')
      agent[field.name] = (ENUMS[field.type.enum] as readonly unknown[]).indexOf(value);
    else if (field.type === 'address') agent[field.name] = wordsOf(Buffer.from(String(value), 'hex'));
    else if (field.type === 'text') agent[field.name] = Buffer.from(String(value));
    else agent[field.name] = value;
  }
  const buffer = new ArrayBuffer(RING_EVENT_BYTES);
  new Uint8Array(buffer).set(record);
  const out = new Uint8Array(EVENT_BYTES_MAX);
  const fields = agent as unknown as AgentFields;
  const end = encodeEvent(
    new Uint32Array(buffer),
    new Uint8Array(buffer),
    0,
    new DataView(out.buffer),
    0,
    fields,
  );
  return encodeBatch(sampleEnvelope(), { bytes: out.subarray(0, end), count: 1 });
}

function distinctValue(field: Field, index: number): GoldenEvent[string] {
  if (typeof field.type === 'object') return ENUMS[field.type.enum].at(-1) ?? '';
  switch (field.type) {
    case 'bool':
      return true;
    case 'u8':
      return 100 + (index % 100);
    case 'u16':
      return 20_000 + index;
    case 'u32':
      return 3_000_000_000 + index;
    case 'u64':
      return 5_000_000_000_000 + index;
    case 'time':
      return BOOT_US + 70_000_000 + index;
    case 'address':
      return `20010db8${'00'.repeat(10)}${(0x1000 + index).toString(16)}`;
    case 'u32[]':
      return [1, 0, 4_000_000_000];
    case 'owner':
      return 0;
    default:
      return `text-${index}`;
  }
}

/** Rows of hex, so that a difference can be read. */
function hex(bytes: Uint8Array): string {
  return `${(
    Buffer.from(bytes)
      .toString('hex')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n`;
}

if (import.meta.main) {
  const fields = [...EVENT_FIELDS, ...OWNER_FIELDS.filter(({ stage }) => stage === 'kernel')];
  const event = Object.fromEntries(fields.map((field, index) => [field.name, distinctValue(field, index)]));
  const record = goldenRing(event);
  writeFileSync(join(FOLDER, 'event.json'), `${JSON.stringify(event, null, 2)}\n`);
  writeFileSync(join(FOLDER, 'ring.hex'), hex(record));
  writeFileSync(join(FOLDER, 'batch.hex'), hex(goldenBatch(record, event)));
}
