/** What a schema is called in a message (Avro specification, "Schema Fingerprints"). Pure. */
import { crc64Avro } from './crc-64-avro.ts';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** CRC-64-AVRO of a schema's parsing canonical form, as it stands in a message. */
export function fingerprintOf(schema: Json): string {
  return crc64Avro(Buffer.from(canonical(schema, 'tcptrail'), 'utf8'));
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
