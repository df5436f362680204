import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const GENERATE = join(import.meta.dirname, '../src/generate-docs.ts');
const root = mkdtempSync(join(tmpdir(), 'tcptrail-generate-docs-'));
after(() => rmSync(root, { recursive: true, force: true }));

function generate(...args: string[]): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [GENERATE, ...args], { encoding: 'utf8' });
}

test('a page that was written is found in order, and one changed by hand is found', () => {
  assert.equal(
    generate(root).stderr,
    'wrote docs/config.md\nwrote docs/metrics.md\nwrote docs/questions.md\n',
  );
  assert.equal(generate('--check', root).status, 0);
  const page = join(root, 'docs/config.md');
  const text = readFileSync(page, 'utf8');
  const changed = text.replace(
    '| a whole number from 0 to 65535 | `9480` |',
    '| a whole number from 0 to 65535 | `9482` |',
  );
  assert.notEqual(changed, text);
  writeFileSync(page, changed);
  const { status, stderr } = generate('--check', root);
  assert.equal(status, 1);
  assert.match(stderr, /docs\/config\.md differs/);
});

test('the page of the repository is the one its schemas give', () => {
  assert.deepEqual(generate('--check').stderr, '');
});
