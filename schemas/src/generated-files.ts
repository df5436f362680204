/** Files that are written from a declaration: written anew, or compared with what is on disk. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * Writes each of `artefacts` (path from `root` → content) that differs; with `check` it only says so.
 *
 * Gives how many differ and were not written. `source` is where a person changes them.
 */
export function settleFiles(
  artefacts: Readonly<Record<string, () => string>>,
  options: { readonly root: string; readonly check: boolean; readonly source: string },
): number {
  let stale = 0;
  for (const [name, emit] of Object.entries(artefacts)) {
    const path = join(options.root, name);
    const content = emit();
    if (onDisk(path) === content) continue;
    if (options.check) {
      stale += 1;
      console.error(`${relative(process.cwd(), path)} differs from ${options.source}; run 'make gen'`);
    } else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      console.error(`wrote ${name}`);
    }
  }
  return stale;
}

function onDisk(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
