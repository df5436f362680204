import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCursorFile } from '../../src/consume/cursor.ts';
import { temporaryFolder } from '../spool-writer.ts';

test('a cursor reads back as it was written', () => {
  const file = createCursorFile({ spool: temporaryFolder(), reader: 'a' }, { onDamaged: assert.fail });
  assert.equal(file.load(), undefined);
  const cursor = { segment: 'x.avro', position: 7, last: { hostId: 'h', agentEpoch: 1, batchSeq: 2 } };
  file.save(cursor);
  assert.deepEqual(file.load(), cursor);
});

for (const text of ['', '{"segment":', '{"segment":"x","position":-1}']) {
  test(`a damaged cursor (${text || 'empty'}) is set aside, and reading begins anew`, () => {
    const spool = temporaryFolder();
    mkdirSync(join(spool, 'cursor'));
    writeFileSync(join(spool, 'cursor/a.json'), text);
    const damaged: string[] = [];
    const file = createCursorFile({ spool, reader: 'a' }, { onDamaged: (keptAs) => damaged.push(keptAs) });
    assert.equal(file.load(), undefined);
    assert.equal(damaged.length, 1);
    assert.ok(existsSync(damaged[0] ?? ''));
  });
}
