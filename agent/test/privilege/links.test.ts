import assert from 'node:assert/strict';
import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { refuseLinks } from '../../src/privilege/links.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('files and folders are fine, a link of either kind is refused by its name', (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'cursor'));
  writeFileSync(join(folder, 'file'), '');
  refuseLinks([folder, join(folder, 'cursor'), '/nowhere']);
  const elsewhere = join(tempFolder(t), 'elsewhere');
  writeFileSync(elsewhere, '');
  for (const link of [symlinkSync, linkSync]) {
    const path = join(folder, 'cursor', 'lock');
    link(elsewhere, path);
    assert.throws(() => refuseLinks([folder, join(folder, 'cursor')]), {
      code: 'AGENT_SPOOL_LINK',
      message: `${path} is a link, and the agent would write where it leads; remove it, nobody but an attacker makes one there`,
    });
    rmSync(path);
  }
});
