/** Python packages for tests, installed once a version into a folder that git ignores. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(import.meta.dirname, '../../node_modules/.cache');
const run = promisify(execFile);

/** Folder with the programs of an environment that holds what `requirements` lists. Rejects with pip's own words. */
export async function pythonEnvironment(name: string, requirements: string): Promise<string> {
  const version = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(CACHE, `tcptrail-python-${name}-${version}`);
  const complete = join(folder, 'complete');
  if (!existsSync(complete)) {
    rmSync(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder]);
    const pip = join(folder, 'bin/pip');
    await run(pip, ['install', '--quiet', '--disable-pip-version-check', '--requirement', requirements]);
    writeFileSync(complete, '');
  }
  return join(folder, 'bin');
}
