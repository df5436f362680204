/** Batches of a schema version that was never released: one field fewer in an event, and one that is no more. */
import { readFileSync } from 'node:fs';
import { createSchemaVersions, type SchemaVersion } from '@tcptrail/consumer/consume/schema-versions.ts';
import { fingerprintOf } from '@tcptrail/schemas/fingerprint.ts';
import { CURRENT_FINGERPRINT } from '@tcptrail/schemas/generated/fingerprints.ts';
import { BATCH_TYPE, plain, SCHEMA_PATH, typeOf } from '../avsc-oracle.ts';

type Values = Readonly<Record<string, unknown>>;
type Batch = Values & { readonly events: readonly Values[] };

const [LACKED, GONE] = ['reset_reason', 'gone'];

const newest = JSON.parse(readFileSync(SCHEMA_PATH, 'utf8'));
const older = structuredClone(newest);
const event = older.fields.find(({ name }: Values) => name === 'events').type.items;
event.fields = event.fields.filter(({ name }: Values) => name !== LACKED);
event.fields.splice(9, 0, { name: GONE, type: 'string' });
const TYPE = typeOf(older);
const OLDER: SchemaVersion = { fingerprint: fingerprintOf(older), schema: older };
const VERSIONS = createSchemaVersions({ fingerprint: CURRENT_FINGERPRINT, schema: newest }, [OLDER]);

/** The batch as it was written then. */
export function olderOf(datum: Uint8Array): Buffer {
  const batch = BATCH_TYPE.fromBuffer(Buffer.from(datum)) as Batch;
  return TYPE.toBuffer({ ...batch, events: batch.events.map((one) => ({ ...one, [GONE]: 'größe' })) });
}

/** By the consumer's resolution. Throws DECODE_*. */
export const newestOf = (datum: Uint8Array): Uint8Array => VERSIONS.toNewest(OLDER.fingerprint, datum);

/** What the newest version must hold of it: as avsc reads it by its own schema. */
export function expectedOf(datum: Uint8Array): unknown {
  const batch = TYPE.fromBuffer(Buffer.from(datum)) as Batch;
  return plain({
    ...batch,
    events: batch.events.map(({ [GONE]: _, ...one }) => ({ ...one, [LACKED]: '' })),
  });
}
