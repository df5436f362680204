/** The newest `avro/event-batch.v<N>.avsc` and the fingerprints: the schema of one batch, docs and defaults included. */
import { readFileSync } from 'node:fs';
import { crc64Avro } from '../crc-64-avro.ts';
import { ENUMS, type EnumName } from '../enums.ts';
import {
  AVRO_OWNER_FIELDS,
  avroFields,
  BATCH_FIELDS,
  type BatchField,
  type EnvelopeType,
  EVENT_FIELDS,
} from '../fields.ts';
import { ADDRESS_BYTES, formOf } from '../types.ts';
import { NEWEST, schemaUrl, VERSIONS } from '../versions.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

function batchSchema(): Json {
  const named = new Set<string>();

  function once(name: string, definition: () => Json): Json {
    if (named.has(name)) return name;
    named.add(name);
    return definition();
  }
  function enumSchema(name: EnumName): Json {
    const symbols = [...ENUMS[name]];
    return once(name, () => ({ type: 'enum', name, symbols, default: symbols[0] ?? '' }));
  }
  function record(
    name: string,
    doc: string,
    fields: readonly Pick<BatchField, 'name' | 'type' | 'doc' | 'unit'>[],
  ): Json {
    return once(name, () => ({
      type: 'record',
      name,
      doc,
      fields: fields.map((field) => ({
        name: field.name,
        type: schemaOf(field.type),
        default: defaultOf(field.type),
        doc: field.unit ? `${field.doc} Unit: ${field.unit}.` : field.doc,
      })),
    }));
  }
  function schemaOf(type: EnvelopeType): Json {
    if (typeof type === 'object') {
      if ('enum' in type) return enumSchema(type.enum);
      if ('list' in type) return { type: 'array', items: record(type.list, '', type.of) };
      return ['null', record(type.optional, '', type.of)];
    }
    if (type === 'labels') return { type: 'map', values: 'string' };
    if (type === 'owners') {
      return {
        type: 'array',
        items: record('Owner', 'A process that owns connections.', AVRO_OWNER_FIELDS),
      };
    }
    if (type === 'events') {
      return {
        type: 'array',
        items: record('TcpEvent', 'One fact about one connection.', avroFields(EVENT_FIELDS)),
      };
    }
    if (type === 'address')
      return once('Address', () => ({ type: 'fixed', name: 'Address', size: ADDRESS_BYTES }));
    return formOf(type).avro as Json;
  }
  return {
    type: 'record',
    name: 'TcpEventBatch',
    namespace: 'tcptrail',
    doc: 'Events of one host, with the account of what was numbered, lost, folded and left out.',
    fields: BATCH_FIELDS.map((field) => ({
      name: field.name,
      type: schemaOf(field.type),
      default: defaultOf(field.type),
      doc: field.unit ? `${field.doc} Unit: ${field.unit}.` : field.doc,
    })),
  };
}

function defaultOf(type: EnvelopeType): Json {
  if (typeof type === 'object') {
    if ('enum' in type) return ENUMS[type.enum][0] ?? '';
    return 'list' in type ? [] : null;
  }
  switch (type) {
    case 'bool':
      return false;
    case 'text':
    case 'string':
    case 'name16':
      return '';
    case 'address':
      return '\u0000'.repeat(ADDRESS_BYTES);
    case 'u32[]':
    case 'owners':
    case 'events':
      return [];
    case 'labels':
      return {};
    default:
      return 0;
  }
}

/** Parsing canonical form (Avro specification): names full, only what changes the bytes. */
function canonical(schema: Json, namespace: string): string {
  if (typeof schema === 'string') {
    const primitive = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'].includes(
      schema,
    );
    return JSON.stringify(primitive ? schema : `${namespace}.${schema}`);
  }
  if (Array.isArray(schema)) return `[${schema.map((item) => canonical(item, namespace)).join(',')}]`;
  const object = schema as { [key: string]: Json };
  const type = object.type as string;
  const name = `"name":${JSON.stringify(`${namespace}.${String(object.name)}`)},"type":"${type}"`;
  switch (type) {
    case 'record': {
      const fields = object.fields as { name: string; type: Json }[];
      const text = fields.map(
        (field) => `{"name":"${field.name}","type":${canonical(field.type, namespace)}}`,
      );
      return `{${name},"fields":[${text.join(',')}]}`;
    }
    case 'enum':
      return `{${name},"symbols":${JSON.stringify(object.symbols)}}`;
    case 'fixed':
      return `{${name},"size":${String(object.size)}}`;
    case 'array':
      return `{"type":"array","items":${canonical(object.items ?? null, namespace)}}`;
    case 'map':
      return `{"type":"map","values":${canonical(object.values ?? null, namespace)}}`;
    default:
      return JSON.stringify(type);
  }
}

export function emitAvro(): string {
  return `${JSON.stringify(batchSchema(), null, 2)}\n`;
}

/** CRC-64-AVRO of a schema's parsing canonical form, as it stands in a message. */
export function fingerprintOf(schema: Json): string {
  return crc64Avro(Buffer.from(canonical(schema, 'tcptrail'), 'utf8'));
}

/** The frozen versions are read, as the field table tells only of the newest. */
export function emitFingerprints(): string {
  const rows = VERSIONS.map((version) => {
    const schema = version === NEWEST ? batchSchema() : readVersion(version);
    return `  '${fingerprintOf(schema)}': ${version},`;
  });
  return `/** Generated by \`make gen\` from fields.ts. */

/** Of the schema that this program writes: 16 hexadecimal digits in wire order. */
export const CURRENT_FINGERPRINT = '${fingerprintOf(batchSchema())}';

/** Fingerprint of each released schema → its version. */
export const VERSION_OF: Readonly<Record<string, number>> = {
${rows.join('\n')}
};
`;
}

function readVersion(version: number): Json {
  return JSON.parse(readFileSync(schemaUrl(version), 'utf8')) as Json;
}
