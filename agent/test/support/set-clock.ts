/** A time of day of one process's own, that a test sets; the machine's stays as it is. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { tempFolder } from './temp-folder.ts';

export interface SetClock {
  /** For the process whose clock it is. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on it is the machine's and so much more. */
  set(seconds: number): void;
  /** Its time now, µs since the epoch. */
  nowUs(): number;
}

export function setClock(t: TestContext): SetClock {
  const folder = tempFolder(t);
  const [library, file] = [join(folder, 'set-clock.so'), join(folder, 'offset')];
  const source = join(import.meta.dirname, 'set-clock.c');
  execFileSync('gcc', ['-O2', '-Wall', '-Werror', '-shared', '-fPIC', '-o', library, source]);
  let offsetUs = 0;
  function set(seconds: number): void {
    offsetUs = seconds * 1e6;
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds) * 1_000_000_000n);
    // In place: the process has it mapped.
    writeFileSync(file, bytes, { flag: seconds === 0 ? 'w' : 'r+' });
  }
  set(0);
  return {
    env: { LD_PRELOAD: library, SET_CLOCK_FILE: file },
    set,
    nowUs: () => Date.now() * 1_000 + offsetUs,
  };
}
