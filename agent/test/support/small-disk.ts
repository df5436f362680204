/** A file system of the test's own, gone when it ends. Needs root. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export function smallDisk(test: TestContext, size: string): string {
  const path = mkdtempSync(join(tmpdir(), 'tcptrail-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tcptrail-test', path]);
  test.after(() => {
    // Lazily: a test that failed may still have an agent on it.
    execFileSync('umount', ['--lazy', path]);
    rmdirSync(path);
  });
  return path;
}
