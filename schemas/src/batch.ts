/**
 * The batch envelope to and from Avro, walked over the field table; events are generated code and stay bytes.
 *
 * Avro: record TcpEventBatch, fields in the order of BATCH_FIELDS. Lists are written as one array block.
 */
import { AppError } from './app-error.ts';
import { type AvroReader, createAvroReader, decodeRange } from './avro-reader.ts';
import { type AvroWriter, createAvroWriter } from './avro-writer.ts';
import { ENUMS } from './enums.ts';
import { AVRO_OWNER_FIELDS, BATCH_FIELDS, type BatchField, type EnvelopeType } from './fields.ts';
import type { BatchEnvelope, Owner } from './generated/envelope.ts';
import { skipEvents } from './skip-events.ts';

export type { BatchEnvelope, CpuAccount, Health, NamespaceCount, Owner } from './generated/envelope.ts';

/** Encoded events: `count` event records one after another. */
export interface EncodedEvents {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Where the events array of a datum stands: from its first block count to after its closing zero. */
export interface EventRange {
  readonly offset: number;
  readonly end: number;
  readonly count: number;
}

/** Whoever it was, nothing told: the first owner of each batch. */
export const UNKNOWN_OWNER: Owner = {
  pid: 0,
  process_start_ts: 0,
  uid: 0,
  comm: '',
  parent_pid: 0,
  cgroup_id: 0,
  executable: '',
  command_line: '',
  parent_executable: '',
  cgroup_path: '',
  container_id: '',
  pod_uid: '',
  systemd_unit: '',
  process_network_namespace: 0,
};

type RecordValue = Record<string, unknown>;

const writer = createAvroWriter();

/** The Avro datum of a batch, without framing. Throws a TypeError for a value that is not of its field's type. */
export function encodeBatch(envelope: BatchEnvelope, events: EncodedEvents): Uint8Array {
  const values = envelope as unknown as RecordValue;
  // A batch that threw left its beginning behind.
  writer.reset();
  let before: Uint8Array = new Uint8Array(0);
  for (const field of BATCH_FIELDS) {
    if (field.type === 'events') {
      if (events.count > 0) writer.long(events.count);
      before = writer.take();
      writer.long(0);
    } else {
      writeValue(writer, field.type, values[field.name]);
    }
  }
  return joined(before, events.bytes, writer.take());
}

/** In memory that is not cleared first: the events are most of a batch, and copied once. */
function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  const whole = new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

/** Reads the events array that starts at `offset`; `before` holds the fields that stand before it, owners included. */
export type ReadEvents = (
  datum: Uint8Array,
  offset: number,
  before: BatchEnvelope,
) => { end: number; count: number };

/** Throws DECODE_TRUNCATED, DECODE_RANGE or DECODE_TRAILING with the byte offset. Events are skipped unless read. */
export function decodeEnvelope(
  datum: Uint8Array,
  readEvents: ReadEvents = (bytes, offset) => skipEvents(bytes, offset),
): { envelope: BatchEnvelope; events: EventRange } {
  const reader = createAvroReader(datum);
  const envelope: RecordValue = {};
  let events: EventRange = { offset: 0, end: 0, count: 0 };
  for (const field of BATCH_FIELDS) {
    if (field.type === 'events') {
      const offset = reader.position;
      const { end, count } = readEvents(datum, offset, envelope as unknown as BatchEnvelope);
      reader.position = end;
      events = { offset, end, count };
    } else {
      envelope[field.name] = readValue(reader, field.type);
    }
  }
  reader.end();
  return { envelope: envelope as unknown as BatchEnvelope, events };
}

/** Fields that stand before the events, but for the owners. */
export type BatchHead = Pick<BatchEnvelope, 'host_id' | 'agent_epoch' | 'batch_seq'>;

/** Which batch a datum is, and where its events array starts: owners are passed over. Throws as `decodeEnvelope`. */
export function decodeHead(datum: Uint8Array): { head: BatchHead; eventsAt: number } {
  const reader = createAvroReader(datum);
  const head: RecordValue = {};
  for (const { name, type } of BATCH_FIELDS) {
    if (type === 'events') break;
    if (type === 'owners') skipOwners(reader);
    else head[name] = readValue(reader, type);
  }
  return { head: head as unknown as BatchHead, eventsAt: reader.position };
}

/** When the batch of a datum was closed, µs: the fields up to it alone are read. Throws as `decodeEnvelope`. */
export function batchTimeOf(datum: Uint8Array): number {
  const reader = createAvroReader(datum);
  for (const { name, type } of BATCH_FIELDS) {
    const value = readValue(reader, type);
    if (name === 'batch_ts') return value as number;
  }
  throw new TypeError('a batch has no batch_ts');
}

function writeValue(out: AvroWriter, type: EnvelopeType, value: unknown): void {
  if (typeof type === 'object') {
    if ('enum' in type) {
      out.long(enumIndex(type.enum, value));
    } else if ('list' in type) {
      writeList(out, value as readonly RecordValue[], (item) => writeRecord(out, type.of, item));
    } else {
      out.long(value === null ? 0 : 1);
      if (value !== null) writeRecord(out, type.of, value as RecordValue);
    }
    return;
  }
  switch (type) {
    case 'bool':
      out.boolean(value === true);
      break;
    case 'text':
    case 'string':
    case 'name16':
      out.string(value as string);
      break;
    case 'labels':
      writeList(out, Object.entries(value as Record<string, string>), ([key, text]) => {
        out.string(key);
        out.string(text);
      });
      break;
    case 'owners':
      writeList(out, value as readonly RecordValue[], (item) => writeRecord(out, AVRO_OWNER_FIELDS, item));
      break;
    case 'events':
    case 'address':
    case 'u32[]':
    case 'owner':
      throw new TypeError(`${type} has no place in the envelope`);
    default:
      if (!Number.isSafeInteger(value)) throw new TypeError(`${String(value)} is not a safe integer`);
      out.long(value as number);
  }
}

function writeRecord(
  out: AvroWriter,
  fields: readonly Pick<BatchField, 'name' | 'type'>[],
  value: RecordValue,
): void {
  for (const field of fields) writeValue(out, field.type, value[field.name]);
}

function writeList<T>(out: AvroWriter, items: readonly T[], write: (item: T) => void): void {
  if (items.length > 0) {
    out.long(items.length);
    for (const item of items) write(item);
  }
  out.long(0);
}

function enumIndex(name: keyof typeof ENUMS, symbol: unknown): number {
  const index = (ENUMS[name] as readonly unknown[]).indexOf(symbol);
  if (index < 0) throw new TypeError(`${String(symbol)} is no ${name}`);
  return index;
}

function readValue(reader: AvroReader, type: EnvelopeType): unknown {
  if (typeof type === 'object') {
    if ('enum' in type) {
      const at = reader.position;
      const symbol = ENUMS[type.enum][reader.long()];
      if (symbol === undefined) throw decodeRange(type.enum, at);
      return symbol;
    }
    if ('list' in type) return readList(reader, () => readRecord(reader, type.of));
    const at = reader.position;
    const branch = reader.long();
    if (branch !== 0 && branch !== 1) throw decodeRange(type.optional, at);
    return branch === 0 ? null : readRecord(reader, type.of);
  }
  switch (type) {
    case 'bool':
      return reader.boolean();
    case 'text':
    case 'string':
    case 'name16':
      return reader.string();
    case 'labels':
      return Object.fromEntries(readList(reader, () => [reader.string(), reader.string()]));
    case 'owners':
      return readList(reader, () => readRecord(reader, AVRO_OWNER_FIELDS));
    case 'events':
    case 'address':
    case 'u32[]':
    case 'owner':
      throw new AppError('DECODE_RANGE', `${type} has no place in the envelope`);
    default:
      return readNumber(reader, type);
  }
}

const LIMITS: Readonly<Record<string, number>> = { u8: 0xff, u16: 0xffff, u32: 0xffffffff };

/** Unsigned and within its type: nothing may wrap on its way into a column. */
function readNumber(reader: AvroReader, type: string): number {
  const at = reader.position;
  const value = reader.long();
  if (value < 0 || value > (LIMITS[type] ?? Number.MAX_SAFE_INTEGER)) throw decodeRange(type, at);
  return value;
}

function readRecord(reader: AvroReader, fields: readonly Pick<BatchField, 'name' | 'type'>[]): RecordValue {
  const record: RecordValue = {};
  for (const field of fields) record[field.name] = readValue(reader, field.type);
  return record;
}

const OWNER_TEXTS = AVRO_OWNER_FIELDS.map(({ type }) =>
  ['text', 'string', 'name16'].includes(type as string),
);

function skipOwners(reader: AvroReader): void {
  for (let count = reader.long(); count !== 0; count = reader.long()) {
    if (count < 0) reader.skip(reader.long());
    for (; count > 0; count--) {
      for (const isText of OWNER_TEXTS) {
        if (isText) reader.skip(reader.long());
        else reader.skipLong();
      }
    }
  }
}

function readList<T>(reader: AvroReader, read: () => T): T[] {
  const list: T[] = [];
  for (;;) {
    let count = reader.long();
    if (count === 0) return list;
    if (count < 0) {
      count = -count;
      reader.long();
    }
    for (let index = 0; index < count; index++) list.push(read());
  }
}
