/** What a Dockerfile makes, without an engine: its COPY and `npm ci` done in a folder, with this Node.js. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { copyInto, copyOf, dockerfileOf, instructions } from './dockerfile.ts';

const run = promisify(execFile);

export interface Image {
  readonly folder: string;
  /** Starts what the image starts; rejects when it fails. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  /** Its configuration under these variables. */
  config(env: Readonly<Record<string, string>>): Promise<unknown>;
  remove(): void;
}

export function makeImage(part: string): Image {
  const folder = mkdtempSync(join(tmpdir(), `tcptrail-${part}-`));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`;
  const variables: Record<string, string> = {};
  let entrypoint: string[] = [];
  try {
    for (const instruction of instructions(dockerfileOf(part))) {
      if (instruction.name === 'COPY') copyInto(folder, copyOf(instruction));
      const [, name = '', value = ''] = /^(\w+)=(\S+)$/.exec(instruction.text) ?? [];
      if (instruction.name === 'ENV') variables[name] = value;
      const command = /^(?:--mount=\S+\s+)*((?:npm ci|node) .*)$/.exec(instruction.text)?.[1];
      if (command && instruction.name === 'RUN') {
        execFileSync('sh', ['-c', command], {
          cwd: folder,
          env: { ...process.env, ...variables, PATH: path },
          stdio: 'pipe',
        });
      }
      if (instruction.name === 'ENTRYPOINT') entrypoint = JSON.parse(instruction.text);
    }
  } catch (error) {
    remove();
    throw error;
  }

  async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const [, ...rest] = entrypoint;
    const { stdout } = await run(process.execPath, [...rest, ...args], { cwd: folder, env });
    return stdout;
  }
  return {
    folder,
    start,
    config: async (env) => parse(await start(['--print-config', '--config', '/dev/null'], env)),
    remove,
  };
}
