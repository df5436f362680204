/** A small ext4 of the test's own, which can turn read-only as a failing disk does. Needs root and loop devices. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { needsRoot } from './needs-root.ts';

export const needsLoop = existsSync('/dev/loop-control')
  ? needsRoot
  : { skip: 'needs loop devices (/dev/loop-control)' };

export interface Ext4Disk {
  readonly path: string;
  /** From now on every write is refused with EROFS, also to files that are open. */
  fail(): void;
  /** As an administrator does: unmounts, checks, mounts. What was not yet on the disk is gone. */
  mend(): void;
}

const BYTES = 16 * 1024 * 1024;

export function ext4Disk(test: TestContext): Ext4Disk {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-ext4-'));
  const image = join(folder, 'image');
  const path = join(folder, 'disk');
  const mount = (): void => void execFileSync('mount', ['--mkdir', '-o', 'loop', image, path]);
  writeFileSync(image, '');
  truncateSync(image, BYTES);
  execFileSync('mkfs.ext4', ['-q', image]);
  mount();
  test.after(() => {
    // Lazily: a test that failed may still have an agent on it.
    execFileSync('umount', ['--lazy', path]);
    rmSync(folder, { recursive: true });
  });
  return {
    path,
    fail: () => void execFileSync('mount', ['-o', 'remount,abort', path]),
    mend() {
      execFileSync('umount', [path]);
      // 1: it found something to correct, and did.
      const { status, stdout } = spawnSync('e2fsck', ['-p', '-f', image], { encoding: 'utf8' });
      if (status !== 0 && status !== 1) throw new Error(`e2fsck: ${stdout}`);
      mount();
    },
  };
}
