/** The shared libraries of programs and libraries of this machine, as the loader here finds them. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';

/** Paths of everything that `files` load when they start, the loader among them. */
export function librariesOf(files: readonly string[]): string[] {
  const printed = files.map((file) => execFileSync('ldd', [file], { encoding: 'utf8' })).join('\n');
  return [...new Set(printed.match(/\/\S+\.so\S*/g) ?? [])].toSorted();
}

/** Throws when it is not on the PATH, or in a folder of the administrator's. */
export function programPath(name: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const path = folders.map((folder) => `${folder}/${name}`).find(existsSync);
  if (!path) throw new Error(`${name} is missing; run infra/deps.sh kernels`);
  return path;
}

/** Throws when the loader's cache has no such library. */
export function libraryPath(name: string): string {
  const printed = execFileSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  const line = printed.split('\n').find((text) => text.trim().startsWith(`${name} `));
  const path = line?.split(' => ')[1];
  if (!path) throw new Error(`${name} is missing; run infra/deps.sh kernels`);
  return path;
}
