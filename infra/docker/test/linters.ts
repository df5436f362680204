/** check-jsonschema and hadolint, installed once into a folder that git ignores. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './compose.ts';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const run = promisify(execFile);

export interface Verdict {
  readonly passed: boolean;
  readonly output: string;
}

let installed: Promise<string> | undefined;

/** Folder of the programs. */
function programs(): Promise<string> {
  installed ??= install();
  return installed;
}

async function install(): Promise<string> {
  const version = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  const folder = join(ROOT, `node_modules/.cache/tcptrail-docker-linters-${version}`);
  const complete = join(folder, 'complete');
  if (!existsSync(complete)) {
    rmSync(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder]);
    const pip = join(folder, 'bin/pip');
    await run(pip, ['install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS]);
    writeFileSync(complete, '');
  }
  return join(folder, 'bin');
}

async function verdict(program: string, args: readonly string[]): Promise<Verdict> {
  const path = join(await programs(), program);
  return run(path, [...args]).then(
    ({ stdout, stderr }) => ({ passed: true, output: stdout + stderr }),
    (error: { code?: unknown; stdout?: string; stderr?: string }) => {
      // A program that did not run at all is no verdict.
      if (typeof error.code !== 'number') throw error;
      return { passed: false, output: `${error.stdout}${error.stderr}` };
    },
  );
}

/** Against the Compose specification's own schema. */
export function checkCompose(file: string): Promise<Verdict> {
  return verdict('check-jsonschema', ['--builtin-schema', 'vendor.compose-spec', file]);
}

/** Every finding counts, down to matters of style. */
export function lintDockerfile(file: string): Promise<Verdict> {
  return verdict('hadolint', ['--no-color', '--failure-threshold', 'style', file]);
}
