import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removePinsOfGoneDoctors } from '../../src/supervise/pins.ts';

test('what a broken-off doctor pinned goes, not that of a running one, nor of an agent', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'tcptrail-pins-'));
  t.after(() => rmSync(root, { recursive: true }));
  const [pinned, proc] = [join(root, 'tcptrail'), join(root, 'proc')];
  for (const instance of ['doctor-11', 'doctor-12', 'default']) {
    mkdirSync(join(pinned, instance), { recursive: true });
    writeFileSync(join(pinned, instance, 'accounts'), '');
  }
  mkdirSync(join(proc, '12'), { recursive: true });
  removePinsOfGoneDoctors(pinned, proc);
  assert.deepEqual(readdirSync(pinned).sort(), ['default', 'doctor-12']);
  removePinsOfGoneDoctors(join(root, 'nowhere'), proc);
});
