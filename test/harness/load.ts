/** Runs the load process and gathers the truth it tells. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Truth } from '../load/connections.ts';

const LOAD = join(import.meta.dirname, '../load/connections.ts');

export interface LoadOptions {
  readonly count: number;
  readonly refused: number;
  readonly seed: number;
  readonly concurrency?: number;
  readonly pauseMs?: number;
  /** Addresses that IPv4 connections come from. */
  readonly clients?: number;
}

/** Resolves when every connection is closed on both sides; rejects when the load did not finish. */
export async function runLoad(options: LoadOptions): Promise<readonly Truth[]> {
  const args = [
    LOAD,
    ...[
      '--count',
      String(options.count),
      '--refused',
      String(options.refused),
      '--seed',
      String(options.seed),
    ],
    ...['--concurrency', String(options.concurrency ?? 16), '--pause-ms', String(options.pauseMs ?? 0)],
    ...['--clients', String(options.clients ?? 1)],
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const truths: Truth[] = [];
  let done = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as Truth | { done: true };
    if ('done' in said) done = true;
    else truths.push(said);
  }
  if (!done) throw new Error('the load process ended before it was done');
  return truths;
}
