/** check-jsonschema and hadolint, installed once into a folder that git ignores. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../../../test/harness/python.ts';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const run = promisify(execFile);

export interface Verdict {
  readonly passed: boolean;
  readonly output: string;
}

let installed: Promise<string> | undefined;

/** Folder of the programs. */
function programs(): Promise<string> {
  installed ??= pythonEnvironment('docker-linters', REQUIREMENTS);
  return installed;
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
