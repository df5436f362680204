import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeLeftPins } from './left-pins.ts';

test('what tests left whose process is gone goes, not that of one that runs, nor of an agent', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'tcptrail-left-'));
  t.after(() => rmSync(root, { recursive: true }));
  const [pins, proc] = [join(root, 'pins'), join(root, 'proc')];
  for (const instance of ['test-11-1', 'up-11-2', 'test-12-1', 'default']) {
    mkdirSync(join(pins, instance, 'maps'), { recursive: true });
    writeFileSync(join(pins, instance, 'maps/accounts'), '');
  }
  mkdirSync(join(proc, '12'), { recursive: true });
  removeLeftPins(pins, proc);
  assert.deepEqual(readdirSync(pins).sort(), ['default', 'test-12-1']);
  removeLeftPins(join(root, 'nowhere'), proc);
});
