/** Runs load/web.ts and gathers what it tells. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const LOAD = join(import.meta.dirname, '../load/web.ts');

export interface WebLoad {
  /** Of the clients, of two servers each with ports of its own, of two that share theirs. */
  readonly pids: readonly number[];
  readonly sharedPorts: readonly number[];
  /** How many it opened or tried to. */
  readonly connections: number;
  /** Ends the connections that still live. */
  stop(): Promise<void>;
}

/** Resolves when all that is to end has ended; rejects when the load did not get there. */
export async function startWebLoad(of: {
  readonly count: number;
  readonly clients: number;
  readonly seed: number;
}): Promise<WebLoad> {
  const args = Object.entries(of).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [LOAD, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const told: { -readonly [Name in 'pids' | 'sharedPorts' | 'connections']?: WebLoad[Name] } = {};
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    Object.assign(told, JSON.parse(line));
    if (told.connections !== undefined) break;
  }
  const { pids, sharedPorts, connections } = told;
  if (!pids || !sharedPorts || connections === undefined)
    throw new Error('the load process ended before it was done');
  return {
    pids,
    sharedPorts,
    connections,
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}
