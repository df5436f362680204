import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { possibleCpus } from '../../src/trace/cpus.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('CPUs are numbered below one more than the highest possible one, whatever is absent', (t) => {
  const file = join(tempFolder(t), 'possible');
  for (const [text, cpus] of [
    ['0\n', 1],
    ['0-7\n', 8],
    ['0,2-3,8-127\n', 128],
    ['', 65_536],
  ] as const) {
    writeFileSync(file, text);
    assert.equal(possibleCpus(file), cpus, text);
  }
  assert.equal(possibleCpus(`${file}.absent`), 65_536);
});
