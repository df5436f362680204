/** Writes every generated file of the contract; `--check` compares instead and fails on a difference. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { emitCHeader } from './emit/c-header.ts';
import { emitRing } from './emit/ring.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Path from the repository's root → content. */
const ARTEFACTS: Record<string, () => string> = {
  'bpf/event.gen.h': emitCHeader,
  'schemas/src/generated/ring.ts': emitRing,
};

function onDisk(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const check = process.argv.includes('--check');
let stale = 0;
for (const [name, emit] of Object.entries(ARTEFACTS)) {
  const path = join(ROOT, name);
  const content = emit();
  if (onDisk(path) === content) continue;
  if (check) {
    stale += 1;
    console.error(`${relative(process.cwd(), path)} differs from schemas/src/fields.ts; run 'make gen'`);
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    console.error(`wrote ${name}`);
  }
}
if (stale > 0) process.exit(1);
