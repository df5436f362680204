/**
 * Batches of other schema versions than the newest, brought to its form: by avsc's resolution, as the Avro
 * specification says ("Schema Resolution"). An agent and a consumer of different releases understand each other so.
 */
import { readFileSync } from 'node:fs';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { decodeRange } from '@tcptrail/schemas/avro-reader.ts';
import { CURRENT_FINGERPRINT, VERSION_OF } from '@tcptrail/schemas/generated/fingerprints.ts';
import { NEWEST, schemaUrl } from '@tcptrail/schemas/versions.ts';
import avsc from 'avsc';
import { assertWhole } from './avro-walk.ts';

export interface SchemaVersions {
  /**
   * The datum as the newest version has it; itself when it is of that version. Throws SCHEMA_UNKNOWN when nobody
   * knows the fingerprint, DECODE_TRUNCATED, DECODE_RANGE or DECODE_TRAILING when the datum is not of its schema.
   */
  toNewest(fingerprint: string, datum: Uint8Array): Uint8Array;
}

export interface SchemaVersion {
  readonly fingerprint: string;
  readonly schema: avsc.Schema;
}

/** 64-bit numbers as bigint: not one may be rounded. */
const LONGS = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer(value: bigint) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

/** `others`: versions beside `newest`. Throws when one of them cannot be read as the newest. */
export function createSchemaVersions(
  newest: SchemaVersion,
  others: readonly SchemaVersion[],
): SchemaVersions {
  const typeOf = ({ schema }: SchemaVersion): avsc.Type =>
    avsc.Type.forSchema(schema, { registry: { long: LONGS }, wrapUnions: false });
  const target = typeOf(newest);
  const readers = new Map(
    others.map((version) => {
      const resolver = target.createResolver(typeOf(version));
      const read = (datum: Uint8Array): Uint8Array => {
        assertWhole(version.schema, datum);
        return target.toBuffer(target.fromBuffer(Buffer.from(datum), resolver));
      };
      return [version.fingerprint, read];
    }),
  );
  return {
    toNewest(fingerprint, datum) {
      if (fingerprint === newest.fingerprint) return datum;
      const read = readers.get(fingerprint);
      if (!read) throw unknown(fingerprint, [newest.fingerprint, ...readers.keys()]);
      try {
        return read(datum);
      } catch (error) {
        throw error instanceof AppError ? error : decodeRange((error as Error).message, 0);
      }
    },
  };
}

let released: SchemaVersions | undefined;

/** As `SchemaVersions`, of the released ones; what they need is made when the first of another version comes. */
export function toNewest(fingerprint: string, datum: Uint8Array): Uint8Array {
  if (fingerprint === CURRENT_FINGERPRINT) return datum;
  released ??= releasedVersions();
  return released.toNewest(fingerprint, datum);
}

function releasedVersions(): SchemaVersions {
  const read = ([fingerprint, version]: readonly [string, number]): SchemaVersion => {
    return { fingerprint, schema: JSON.parse(readFileSync(schemaUrl(version), 'utf8')) as avsc.Schema };
  };
  const others = Object.entries(VERSION_OF).filter(([, version]) => version !== NEWEST);
  return createSchemaVersions(read([CURRENT_FINGERPRINT, NEWEST]), others.map(read));
}

function unknown(fingerprint: string, known: readonly string[]): AppError {
  return new AppError(
    'SCHEMA_UNKNOWN',
    `schema ${fingerprint} is not known to this consumer, which reads ${known.join(', ')}; update it`,
  );
}
