/** Connections at a steady rate from a C program, built on first use. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SOURCE = join(import.meta.dirname, '../load/paced.c');
const run = promisify(execFile);

export interface PacedLoad {
  /** Both ends of every connection are this process's. */
  readonly pid: number;
  readonly connections: number;
  readonly seconds: number;
}

/** Rejects when the compiler is missing or a connection failed. */
export async function runPacedLoad(options: { count: number; perSecond: number }): Promise<PacedLoad> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-load-'));
  const program = join(folder, 'paced');
  try {
    await run('gcc', ['-O2', '-Wall', '-Werror', '-o', program, SOURCE, '-lpthread']);
    const { stdout } = await run(program, [String(options.count), String(options.perSecond)]);
    return JSON.parse(stdout) as PacedLoad;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
