/** The actor's program: built here, or found in TRUTH_BIN where there is no compiler. */
import { execFile } from 'node:child_process';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SOURCES = join(import.meta.dirname, 'programs');

export interface Programs {
  readonly actor: string;
  /** The same program under another name, for exec. */
  readonly understudy: string;
}

/** Static, so that any machine of the architecture runs it. `node build.ts FOLDER` builds it for another machine. */
export async function buildPrograms(folder: string, ready = process.env['TRUTH_BIN']): Promise<Programs> {
  const actor = join(folder, 'actor');
  const understudy = join(folder, 'understudy');
  if (ready) {
    copyFileSync(join(ready, 'actor'), actor);
  } else {
    const sources = readdirSync(SOURCES)
      .filter((name) => name.endsWith('.c'))
      .map((name) => join(SOURCES, name));
    const flags = ['-O1', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', '-static', '-pthread'];
    await promisify(execFile)('gcc', [...flags, '-o', actor, ...sources]);
  }
  copyFileSync(actor, understudy);
  return { actor, understudy };
}

if (import.meta.main) await buildPrograms(process.argv[2] ?? '.', undefined);
