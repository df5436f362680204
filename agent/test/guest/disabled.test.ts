import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDisabledFile } from '../../src/guest/disabled.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('what was seen last stays while the folder refuses to say, and that is told', (t) => {
  const folder = join(tempFolder(t), 'etc');
  const told: string[] = [];
  const file = createDisabledFile(join(folder, 'disabled'), {
    onUnknown: ({ code, message }) => told.push(`${code}: ${message}`),
  });
  /** Root may look into every folder, but not through a link to itself. */
  const refuse = () => {
    rmSync(folder, { recursive: true });
    symlinkSync(folder, folder);
  };
  mkdirSync(folder);
  assert.equal(file.isThere(0), false);
  refuse();
  assert.equal(file.isThere(1_000), false);
  rmSync(folder);
  mkdirSync(folder);
  writeFileSync(join(folder, 'disabled'), '');
  assert.equal(file.isThere(2_000), true);
  refuse();
  assert.equal(file.isThere(3_000), true);
  assert.deepEqual(
    told,
    Array(2).fill(
      `AGENT_DISABLED_UNKNOWN: cannot tell whether ${folder}/disabled is there (ELOOP); let the agent's user look into its folder, or set guest.disabledFile`,
    ),
  );
});

test('a folder that refuses to say at the start is an error', (t) => {
  const folder = join(tempFolder(t), 'etc');
  symlinkSync(folder, folder);
  const file = createDisabledFile(join(folder, 'disabled'), { onUnknown: () => assert.fail() });
  assert.throws(() => file.isThere(0), { code: 'AGENT_DISABLED_UNKNOWN', exitCode: 3 });
});
