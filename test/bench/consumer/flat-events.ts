/**
 * The same events as ClickHouse's own Kafka engine takes them: one flat record with every column of tcp_events that
 * it does not know itself, as Avro (object container file, many events a message) or as JSON (one event a message).
 */
import { ENUMS } from '@tcptrail/schemas/enums.ts';
import { AVRO_OWNER_FIELDS, type Field } from '@tcptrail/schemas/fields.ts';
import { batchField, EVENT_BATCH_COLUMNS, EVENT_COLUMNS } from '@tcptrail/schemas/stored.ts';
import { timeText } from '@tcptrail/schemas/time-text.ts';
import { ADDRESS_BYTES, formOf } from '@tcptrail/schemas/types.ts';
import avsc from 'avsc';

type Values = Readonly<Record<string, unknown>>;

/** What a batch gives each of its events, and what an event and its owner add to it. */
export interface Flat {
  readonly batch: Values;
  readonly event: Values;
}

const BATCH_PART: readonly Field[] = EVENT_BATCH_COLUMNS.map(batchField);
const EVENT_PART: readonly Field[] = [...EVENT_COLUMNS, ...AVRO_OWNER_FIELDS];
/** Columns of the flat record, in its order. */
export const FLAT_FIELDS: readonly Field[] = [...BATCH_PART, ...EVENT_PART];

const BATCH_TYPE = avsc.Type.forSchema(recordOf(BATCH_PART));
const EVENT_TYPE = avsc.Type.forSchema(recordOf(EVENT_PART));
const SCHEMA = JSON.stringify(recordOf(FLAT_FIELDS));
const LONG = avsc.Type.forSchema('long');
const META = avsc.Type.forSchema({ type: 'map', values: 'bytes' });
const SYNC = Buffer.alloc(16, 9);
const HEADER = Buffer.concat([
  Buffer.from('Obj\u0001', 'latin1'),
  META.toBuffer({ 'avro.schema': Buffer.from(SCHEMA), 'avro.codec': Buffer.from('null') }),
  SYNC,
]);

function recordOf(fields: readonly Field[]): avsc.schema.RecordType {
  const named = new Set<string>();
  return {
    type: 'record',
    name: 'FlatEvent',
    fields: fields.map(({ name, type }) => {
      if (typeof type !== 'object' && type !== 'address') {
        return { name, type: formOf(type).avro as avsc.Schema };
      }
      const typeName = typeof type === 'object' ? type.enum : 'Address';
      if (named.has(typeName)) return { name, type: typeName };
      named.add(typeName);
      const definition =
        typeof type === 'object'
          ? { type: 'enum' as const, name: typeName, symbols: [...ENUMS[type.enum]] }
          : { type: 'fixed' as const, name: typeName, size: ADDRESS_BYTES };
      return { name, type: definition };
    }),
  };
}

/** Parts of flat records as bytes; a batch's part before an event's is a whole record. */
export const avroBatchPart = (batch: Values): Buffer => BATCH_TYPE.toBuffer(batch);
export const avroEventPart = (event: Values): Buffer => EVENT_TYPE.toBuffer(event);

/** A container file of one block. */
export function avroFile(records: readonly Buffer[], count: number): Buffer {
  const bytes = records.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([HEADER, LONG.toBuffer(count), LONG.toBuffer(bytes), ...records, SYNC]);
}

/** As `avroBatchPart` and `avroEventPart`: both are members of one JSON object. */
export const jsonBatchPart = (batch: Values): Buffer => Buffer.from(members(BATCH_PART, batch));
export const jsonEventPart = (event: Values): Buffer => Buffer.from(members(EVENT_PART, event));
export const jsonLine = (batch: Buffer, event: Buffer): Buffer =>
  Buffer.from(`{${batch.toString()},${event.toString()}}`);

function members(fields: readonly Field[], values: Values): string {
  return JSON.stringify(
    Object.fromEntries(fields.map((field) => [field.name, jsonValue(field, values)])),
  ).slice(1, -1);
}

function jsonValue({ name, type }: Field, values: Values): unknown {
  const value = values[name];
  if (type === 'time') return timeText(value as number);
  return type === 'address' ? addressText(value as Uint8Array) : value;
}

/** Without the short forms: groups of 16 bits. */
function addressText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, ADDRESS_BYTES);
  return Array.from({ length: 8 }, (_, group) => view.getUint16(2 * group).toString(16)).join(':');
}
