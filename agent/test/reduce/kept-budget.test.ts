import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createKeptBudget } from '../../src/reduce/kept-budget.ts';
import { tempFolder } from '../support/temp-folder.ts';

const at = (spool: string, bootId: string, ms: number) =>
  createKeptBudget(spool, { now: () => ({ bootId, ms }) });

test('what is taken is read again with the time since, over a reboot with the time since that', (t) => {
  const spool = tempFolder(t);
  at(spool, 'a', 5_000).write(123.6);
  assert.deepEqual(readdirSync(spool), ['budget.json']);
  assert.equal(statSync(join(spool, 'budget.json')).mode & 0o777, 0o640);
  assert.deepEqual(at(spool, 'a', 7_000).read(), { bytes: 124, agoMs: 2_000 });
  assert.deepEqual(at(spool, 'b', 700).read(), { bytes: 124, agoMs: 700 });
});

test('without a file that can be read nothing is taken, and a disk that refuses ends nothing', (t) => {
  const spool = tempFolder(t);
  const kept = at(spool, 'a', 1);
  const nothing = { bytes: 0, agoMs: 0 };
  assert.deepEqual(kept.read(), nothing);
  for (const text of ['', '{}', 'null', '{"taken_bytes":"many"}']) {
    writeFileSync(join(spool, 'budget.json'), text);
    assert.deepEqual(kept.read(), nothing, text);
  }
  mkdirSync(join(spool, 'budget.json.new'));
  kept.write(5);
  assert.deepEqual(kept.read(), nothing);
});
