/** A part that does its work and ends, its output in the log. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { cliError } from '../errors.ts';
import { type Account, switchTo } from './account.ts';
import type { LogFile } from './log-file.ts';
import { nameOf, type ProcessName } from './process-info.ts';
import { reasonIn } from './reason.ts';

export interface OnceConfig {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly account: Account;
}

export interface Once {
  /** '' when it ended well, else why not. Rejects with CLI_TOOL_MISSING. */
  readonly ended: Promise<string>;
  readonly process: ProcessName | undefined;
  kill(signal: NodeJS.Signals): void;
}

export function runOnce(config: OnceConfig, log: LogFile): Once {
  const { account, program, args, env } = config;
  const command = ['--pdeathsig', 'TERM', ...switchTo(account), process.execPath, program, ...args];
  const child = spawn('setpriv', command, {
    cwd: '/',
    env: { ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let reason = '';
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.write(line);
      reason = reasonIn(line) ?? reason;
    });
  }
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', (error) =>
      reject(cliError('CLI_TOOL_MISSING', ['setpriv', 'util-linux'], { cause: error })),
    );
    child.once('close', (code, signal) =>
      resolve(code === 0 ? '' : reason || (signal ? `ended by ${signal}` : `exit code ${code}`)),
    );
  });
  const name = child.pid === undefined ? undefined : nameOf(child.pid);
  return { ended, process: name, kill: (signal) => void child.kill(signal) };
}
