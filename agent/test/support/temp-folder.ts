/** A folder of the test's own, gone when it ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export function tempFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-agent-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
