import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

test('nothing sends values through command(), which drops them silently', () => {
  const folder = join(import.meta.dirname, '../../src');
  const files = globSync('**/*.ts', { cwd: folder });
  assert.ok(files.includes('store/clickhouse.ts'));
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [call] of text.matchAll(/\.command\(\{[\s\S]*?\}\)/g)) {
      assert.doesNotMatch(call, /values/, `${file}: ${call}`);
    }
  }
});
