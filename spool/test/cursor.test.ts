import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/spool-writer.ts';
import { comparePlaces, createCursorFile, type Place } from '../src/cursor.ts';

function parse(value: unknown): Place {
  const { segment, position } = value as Place;
  assert.ok(typeof segment === 'string' && position >= 0);
  return { segment, position };
}

test('a cursor reads back as it was written', () => {
  const spool = temporaryFolder();
  const file = createCursorFile({ spool, reader: 'a', parse }, { onDamaged: assert.fail });
  assert.equal(file.load(), undefined);
  const cursor = { segment: 'x.avro', position: 7 };
  file.save(cursor);
  assert.deepEqual(file.load(), cursor);
});

for (const text of ['', '{"segment":', '{"segment":"x","position":-1}']) {
  test(`a damaged cursor (${text || 'empty'}) is set aside, and reading begins anew`, () => {
    const spool = temporaryFolder();
    mkdirSync(join(spool, 'cursor'));
    writeFileSync(join(spool, 'cursor/a.json'), text);
    const damaged: string[] = [];
    const file = createCursorFile(
      { spool, reader: 'a', parse },
      { onDamaged: (keptAs) => damaged.push(keptAs) },
    );
    assert.equal(file.load(), undefined);
    assert.equal(damaged.length, 1);
    assert.ok(existsSync(damaged[0] ?? ''));
  });
}

test('places are in the order of writing', () => {
  const places = [
    { segment: 'a.avro', position: 9 },
    { segment: 'b.avro', position: 1 },
    { segment: 'b.avro', position: 10 },
  ];
  assert.deepEqual(places.toReversed().toSorted(comparePlaces), places);
});
