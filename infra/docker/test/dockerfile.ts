/** Dockerfiles and .dockerignore, as far as this project's use them. */
import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { ROOT } from './compose.ts';

export interface Instruction {
  readonly name: string;
  readonly text: string;
}

export interface Copy {
  /** Paths in the checkout. */
  readonly sources: readonly string[];
  /** Path in the image, below its working folder. A last `/` makes it a folder. */
  readonly target: string;
}

export function dockerfileOf(part: string): string {
  return join(ROOT, `infra/docker/${part}.Dockerfile`);
}

export function instructions(file: string): Instruction[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'));
  const whole = lines.join('\n').replace(/\\\n\s*/g, '');
  return whole.split('\n').flatMap((line) => {
    const [, name, text] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    return name === undefined || text === undefined ? [] : [{ name, text }];
  });
}

export function copyOf(instruction: Instruction): Copy {
  const words = instruction.text.split(/\s+/);
  return { sources: words.slice(0, -1), target: words.at(-1) ?? '' };
}

export function copies(file: string): Copy[] {
  return instructions(file)
    .filter(({ name }) => name === 'COPY')
    .map(copyOf);
}

/** Whether the build gets to see a path of the checkout. The last rule that names it or a folder above it decides. */
export function isSent(path: string, rules = ignoreRules()): boolean {
  let sent = true;
  for (const rule of rules) {
    if (matcher(rule.replace(/^!/, '')).test(path)) sent = rule.startsWith('!');
  }
  return sent;
}

/** What the rule names, and all below it; unlike a shell's, its `*` matches hidden files. */
function matcher(rule: string): RegExp {
  const pattern = rule.split('**/').map((part) => part.replace(/[.]/g, '\\.').replaceAll('*', '[^/]*'));
  return new RegExp(`^${pattern.join('(?:.*/)?')}(?:/|$)`);
}

function ignoreRules(): string[] {
  return readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Does what COPY does. Throws where the engine would: a source that is missing or not sent. */
export function copyInto(folder: string, { sources, target }: Copy): void {
  for (const source of sources) {
    const from = join(ROOT, source);
    if (!existsSync(from)) throw new Error(`COPY ${source}: it is not in the checkout`);
    if (!isSent(source)) throw new Error(`COPY ${source}: .dockerignore keeps it out`);
    const isFolder = statSync(from).isDirectory();
    const to = join(folder, target, target.endsWith('/') && !isFolder ? basename(source) : '');
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to, { recursive: true, filter: (each) => each === from || isSent(relative(ROOT, each)) });
  }
}
