import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fingerprintOf } from '@tcptrail/schemas/fingerprint.ts';
import { CURRENT_FINGERPRINT } from '@tcptrail/schemas/generated/fingerprints.ts';
import avsc from 'avsc';
import { BATCH_TYPE, plain, SCHEMA_PATH } from '../../../test/avsc-oracle.ts';
import { modelBatch, mutate } from '../../../test/fuzz/mutate-batch.ts';
import { createRandom } from '../../../test/random.ts';
import { createSchemaVersions, toNewest } from '../../src/consume/schema-versions.ts';
import { createRangeDecoder } from '../../src/decode/range.ts';

type Json = ReturnType<typeof JSON.parse>;
type Values = Record<string, unknown>;

const SCHEMA = JSON.parse(readFileSync(SCHEMA_PATH, 'utf8'));
const NEWEST = { fingerprint: CURRENT_FINGERPRINT, schema: SCHEMA };
const random = createRandom(3);

const recordOf = (schema: Json, field: string): Json =>
  schema.fields.find(({ name }: Values) => name === field).type.items;
const fieldOf = (record: Json, name: string): Json =>
  record.fields.find((field: Values) => field['name'] === name);

/** The schema with one change, and how avsc writes it; 64-bit numbers as JavaScript's. */
function changed(change: (schema: Json) => void) {
  const schema = structuredClone(SCHEMA);
  change(schema);
  const type = avsc.Type.forSchema(schema, { wrapUnions: false });
  const version = { fingerprint: fingerprintOf(schema), schema };
  return { type, version, versions: createSchemaVersions(NEWEST, [version]) };
}

/** A batch with events, whose numbers are small. */
function smallBatch(): Values & { events: Values[]; owners: Values[] } {
  for (;;) {
    const model = modelBatch(random);
    const batch = BATCH_TYPE.fromBuffer(model.datum) as ReturnType<typeof smallBatch>;
    if (batch.events.length > 0) return small(batch) as ReturnType<typeof smallBatch>;
  }
}

function small(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value % 1_000_000n);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(small);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, small(item)]));
}

function read(datum: Uint8Array): Values & { events: Values[] } {
  return plain(BATCH_TYPE.fromBuffer(Buffer.from(datum))) as ReturnType<typeof read>;
}

test('a datum of the newest version is passed on as it is', () => {
  const { datum } = modelBatch(random);
  assert.equal(toNewest(CURRENT_FINGERPRINT, datum), datum);
});

test('a fingerprint that nobody knows is refused, with those that are known', () => {
  assert.throws(() => toNewest('0123456789abcdef', modelBatch(random).datum), {
    code: 'SCHEMA_UNKNOWN',
    message: `schema 0123456789abcdef is not known to this consumer, which reads ${CURRENT_FINGERPRINT}; update it`,
  });
});

test('a field that the newest version does not have is left out', () => {
  const { type, version, versions } = changed((schema) => {
    recordOf(schema, 'events').fields.splice(7, 0, { name: 'novel', type: 'string', default: '' });
    schema.fields.push({ name: 'tail', type: { type: 'map', values: 'long' }, default: {} });
  });
  const batch = smallBatch();
  const events = batch.events.map((event) => ({ ...event, novel: 'größe' }));
  const datum = type.toBuffer({ ...batch, events, tail: { a: 1 } });
  assert.deepEqual(read(versions.toNewest(version.fingerprint, datum)), plain(batch));
});

test('a field that only the newest version has takes its default', () => {
  const { type, version, versions } = changed((schema) => {
    const event = recordOf(schema, 'events');
    event.fields = event.fields.filter(({ name }: Values) => name !== 'rtt_us' && name !== 'reset_reason');
    schema.fields = schema.fields.filter(({ name }: Values) => name !== 'labels');
  });
  const batch = smallBatch();
  const expected = {
    ...batch,
    labels: {},
    events: batch.events.map((event) => ({ ...event, rtt_us: 0, reset_reason: '' })),
  };
  assert.deepEqual(read(versions.toNewest(version.fingerprint, type.toBuffer(batch))), plain(expected));
});

test('a symbol that the newest version does not have becomes the default of its enum, the others stay', () => {
  const { type, version, versions } = changed((schema) => {
    fieldOf(recordOf(schema, 'events'), 'verdict').type.symbols.push('novel');
  });
  const batch = smallBatch();
  const [first] = batch.events;
  assert.ok(first);
  const events = [
    { ...first, verdict: 'novel' },
    { ...first, verdict: 'timed_out' },
  ];
  const { events: resolved } = read(
    versions.toNewest(version.fingerprint, type.toBuffer({ ...batch, events })),
  );
  assert.deepEqual(
    resolved.map(({ verdict }) => verdict),
    ['unknown', 'timed_out'],
  );
});

test('a number that was narrower before is widened', () => {
  const { type, version, versions } = changed((schema) => {
    fieldOf(recordOf(schema, 'events'), 'bytes_sent').type = 'int';
  });
  const batch = smallBatch();
  assert.deepEqual(read(versions.toNewest(version.fingerprint, type.toBuffer(batch))), plain(batch));
});

test('a value beyond its column is refused behind the resolution too', () => {
  const { type, version, versions } = changed((schema) => {
    fieldOf(recordOf(schema, 'events'), 'local_port').type = 'int';
    recordOf(schema, 'events').fields.push({ name: 'novel', type: 'int', default: 0 });
  });
  const batch = smallBatch();
  const events = batch.events.map((event) => ({ ...event, novel: 1, local_port: 70_000 }));
  const datum = versions.toNewest(version.fingerprint, type.toBuffer({ ...batch, events }));
  const { refused } = createRangeDecoder().decode({ origin: 'x', originPartition: 0 }, [
    { offset: 0, datum },
  ]);
  assert.deepEqual(
    refused.map(({ error }) => error.code),
    ['DECODE_RANGE'],
  );
});

test('damage in a datum of another version is refused with a code, whatever its counts claim', () => {
  const { type, version, versions } = changed((schema) => {
    recordOf(schema, 'events').fields.push({ name: 'novel', type: 'string', default: '' });
  });
  const counts = { resolved: 0, refused: 0 };
  for (let round = 0; round < 1_000; round++) {
    const batch = smallBatch();
    const datum = type.toBuffer({ ...batch, events: batch.events.map((event) => ({ ...event, novel: '' })) });
    const mutant = mutate(random, { ...modelBatch(random), datum });
    try {
      versions.toNewest(version.fingerprint, mutant);
      counts.resolved += 1;
    } catch (error) {
      assert.match((error as { code?: string }).code ?? String(error), /^DECODE_/);
      counts.refused += 1;
    }
  }
  assert.ok(counts.resolved > 0 && counts.refused > 0);
});

test('a schema that cannot be read as the newest is refused at once', () => {
  assert.throws(() =>
    changed((schema) => {
      fieldOf(recordOf(schema, 'events'), 'bytes_sent').type = 'string';
    }),
  );
});
