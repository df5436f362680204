/** A ring record to an object with every field of the event, as a program without generated code would hold it. */

import { microseconds } from '@tcptrail/schemas/encode-value.ts';
import { ENUMS, type EventKind } from '@tcptrail/schemas/enums.ts';
import { avroFields, EVENT_FIELDS, type Field } from '@tcptrail/schemas/fields.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';

export interface EventObject extends Readonly<Record<string, unknown>> {
  readonly cpu: number;
  readonly seq: number;
}

export type RecordReader = (
  bytes: Uint8Array,
  at: number,
  of: { readonly owner: number; readonly own: boolean },
) => EventObject;

interface Agent {
  readonly clockOffsetUs: number;
  readonly resetReason: (code: number) => string;
}

const COUNTED: readonly EventKind[] = ['fail', 'close'];

function time(view: DataView, at: number, offsetUs: number): number {
  const low = view.getUint32(at, true);
  const high = view.getUint32(at + 4, true);
  return low === 0 && high === 0 ? 0 : microseconds(low, high) + offsetUs;
}

function name(buffer: Buffer, at: number): string {
  let end = at;
  while (end < at + 16 && buffer[end] !== 0) end += 1;
  return buffer.toString('utf8', at, end);
}

const FROM_AGENT: Readonly<Record<string, string>> = {
  owner: 'of.owner',
  own: 'of.own',
  connections: 'COUNTED.includes(kind) ? 1 : 0',
  reset_reason: `kind === 'reset' ? agent.resetReason(view.getUint16(at + ${RING.reset_reason_code}, true)) : ''`,
};

function expression(field: Field): string {
  const { name, type } = field;
  if (field.stage === 'agent') return FROM_AGENT[name] ?? unused(field);
  const at = `at + ${RING[name as keyof typeof RING]}`;
  if (typeof type === 'object') return `ENUMS.${type.enum}[view.getUint8(${at})]`;
  const byType: Readonly<Record<string, string>> = {
    bool: `view.getUint8(${at}) === 1`,
    u8: `view.getUint8(${at})`,
    u16: `view.getUint16(${at}, true)`,
    u32: `view.getUint32(${at}, true)`,
    u64: `view.getUint32(${at} + 4, true) * 0x1_0000_0000 + view.getUint32(${at}, true)`,
    time: `time(view, ${at}, agent.clockOffsetUs)`,
    address: `buffer.subarray(${at}, ${at} + 16)`,
    name16: `name(buffer, ${at})`,
  };
  return byType[type] ?? unused(field);
}

/** What the agent leaves empty without peer names and folding. */
function unused({ type }: Field): string {
  if (typeof type === 'object') return `ENUMS.${type.enum}[0]`;
  if (type === 'text') return `''`;
  if (type === 'address') return 'NOWHERE';
  return type === 'u32[]' ? '[]' : '0';
}

/** Compiled, as avsc compiles its writers: a loop over the fields would be slower. */
export function createRecordReader(agent: Agent): RecordReader {
  const members = avroFields(EVENT_FIELDS).map((field) => `${field.name}: ${expression(field)}`);
  const helpers = { agent, time, name, ENUMS, COUNTED, NOWHERE: Buffer.alloc(16) };
  const read = new Function(
    ...Object.keys(helpers),
    `return (view, buffer, at, of) => {
      const kind = ENUMS.EventKind[view.getUint8(at + ${RING.kind})];
      return { ${members.join(',\n')} };
    };`,
  )(...Object.values(helpers)) as (view: DataView, buffer: Buffer, at: number, of: object) => EventObject;
  let ring: Uint8Array | undefined;
  let view: DataView = new DataView(new ArrayBuffer(0));
  let buffer: Buffer = Buffer.alloc(0);
  return (bytes, at, of) => {
    if (bytes !== ring) {
      ring = bytes;
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return read(view, buffer, at, of);
  };
}
