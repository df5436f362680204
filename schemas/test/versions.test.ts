import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import avsc from 'avsc';
import { fingerprintOf } from '../src/fingerprint.ts';
import { CURRENT_FINGERPRINT, VERSION_OF } from '../src/generated/fingerprints.ts';
import { NEWEST, schemaUrl, VERSIONS } from '../src/versions.ts';

const FOLDER = join(import.meta.dirname, '../avro');
const read = (version: number) => JSON.parse(readFileSync(schemaUrl(version), 'utf8'));

test('each version has its file, and each file is a version', () => {
  assert.deepEqual(
    readdirSync(FOLDER).toSorted(),
    VERSIONS.map((version) => basename(schemaUrl(version).pathname)).toSorted(),
  );
});

test('the fingerprint of each version is that of its file', () => {
  const found = VERSIONS.map((version) => [fingerprintOf(read(version)), version]);
  assert.deepEqual(VERSION_OF, Object.fromEntries(found));
  assert.equal(VERSION_OF[CURRENT_FINGERPRINT], NEWEST);
});

test('every pair of versions resolves, both ways', () => {
  const types = VERSIONS.map((version) => avsc.Type.forSchema(read(version), { wrapUnions: false }));
  for (const reader of types) for (const writer of types) assert.ok(reader.createResolver(writer));
});
