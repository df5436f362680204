/**
 * One part as a child process: started, watched, started again when it dies, stopped.
 *
 * The child has its own session, so Ctrl-C on the terminal reaches the supervisor alone. setpriv gives it its
 * user, and has the kernel send it SIGTERM when the supervisor dies, however that happens.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { cliError, reasonOf } from '../errors.ts';
import { type Account, switchTo } from './account.ts';
import { type Backoff, createBackoff } from './backoff.ts';
import type { LogFile } from './log-file.ts';
import { nameOf, type ProcessName } from './process-info.ts';
import { reasonIn } from './reason.ts';

export interface ChildConfig {
  /** As people read it. */
  readonly name: string;
  /** For Node.js, before the program. */
  readonly flags?: readonly string[];
  readonly program: string;
  /** Asked before each start: a second start may need what the first found out. */
  readonly args: () => readonly string[];
  readonly env: () => Readonly<Record<string, string>>;
  readonly account: Account;
  /** Whether this line of its output says that it is ready. */
  readonly isReady: (line: string) => boolean;
  readonly readyMsMax: number;
}

export interface ChildDeps {
  readonly log: LogFile;
  /** It died and is started again after `waitMs`. */
  readonly onDeath: (reason: string, waitMs: number) => void;
  /** It runs again. */
  readonly onBack: () => void;
  /** It will not be started again. */
  readonly onGivenUp: (error: AppError) => void;
  /** Its pid changed. */
  readonly onProcess: () => void;
  readonly backoff?: Backoff;
}

export interface Child {
  readonly process: ProcessName | undefined;
  /** Gives the line that said it is ready. Throws CLI_PART_FAILED. */
  start(): Promise<string>;
  /** SIGHUP, as soon as it is ready for it. */
  hangUp(): void;
  /** `signal`, SIGKILL after `deadlineMs`; resolves when it is gone. Gives false when it had to be killed. */
  stop(deadlineMs: number, signal?: NodeJS.Signals): Promise<boolean>;
  kill(): void;
}

/** Exit codes that another start cannot mend: wrong configuration, not supported here. */
const FINAL = new Set([2, 3]);

export function createChild(config: ChildConfig, deps: ChildDeps): Child {
  const backoff = deps.backoff ?? createBackoff();
  let child: ChildProcess | undefined;
  let name: ProcessName | undefined;
  let gone: Promise<string> = Promise.resolve('');
  let reason = '';
  let stopping = false;
  let isReady = false;
  let wantsHangUp = false;

  /** Resolves with the line that says it is ready; rejects when it ends before. */
  function launch(): Promise<string> {
    const { account, flags = [], program } = config;
    const command = [process.execPath, ...flags, program, ...config.args()];
    reason = '';
    const running = spawn('setpriv', ['--pdeathsig', 'TERM', ...switchTo(account), ...command], {
      cwd: '/',
      env: { ...config.env() },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = running;
    isReady = false;
    name = running.pid === undefined ? undefined : nameOf(running.pid);
    deps.onProcess();
    let exitCode = 1;
    let failure: unknown;
    gone = new Promise((resolve) => {
      running.once('error', (error) => {
        failure = cliError('CLI_TOOL_MISSING', ['setpriv', 'util-linux'], { cause: error });
        resolve(reasonOf(error));
      });
      running.once('close', (code, signal) => {
        exitCode = code ?? 1;
        resolve(reason || (signal ? `ended by ${signal}` : `exit code ${code}`));
      });
    });
    return new Promise((resolve, reject) => {
      const ready = (line: string): void => {
        clearTimeout(timer);
        isReady = true;
        if (wantsHangUp) hangUp();
        resolve(line);
      };
      const timer = setTimeout(() => {
        reason = `not ready after ${config.readyMsMax / 1_000} s`;
        running.kill('SIGKILL');
      }, config.readyMsMax);
      const hear = (line: string): void => {
        deps.log.write(line);
        if (config.isReady(line)) ready(line);
      };
      createInterface({ input: running.stdout }).on('line', hear);
      createInterface({ input: running.stderr }).on('line', (line) => {
        hear(line);
        reason = reasonIn(line) ?? reason;
      });
      void gone.then((why) => {
        clearTimeout(timer);
        const error = cliError('CLI_PART_FAILED', [config.name, why, deps.log.path]);
        reject(failure ?? withExitCode(error, exitCode));
      });
    });
  }

  /** Waits for deaths and answers them, until told to stop. */
  async function watch(): Promise<void> {
    let startedAt = performance.now();
    for (;;) {
      const why = await gone;
      if (stopping) return;
      const code = child?.exitCode ?? 1;
      const wait = FINAL.has(code) ? undefined : backoff.next(performance.now() - startedAt);
      if (wait === undefined) {
        const error = FINAL.has(code)
          ? withExitCode(cliError('CLI_PART_ENDED', [config.name, why, deps.log.path]), code)
          : cliError('CLI_PART_CRASHES', [config.name, String(backoff.deaths), why, deps.log.path]);
        return deps.onGivenUp(error);
      }
      deps.onDeath(why, wait);
      await delay(wait);
      if (stopping) return;
      startedAt = performance.now();
      // A failed start is a death like any other: `gone` tells it.
      await launch().then(deps.onBack, () => {});
    }
  }

  /** Before it is ready it would end by it. */
  function hangUp(): void {
    wantsHangUp = !isReady;
    if (isReady) child?.kill('SIGHUP');
  }

  return {
    hangUp,
    get process() {
      return name;
    },
    async start() {
      const line = await launch();
      void watch();
      return line;
    },
    async stop(deadlineMs, signal = 'SIGTERM') {
      stopping = true;
      if (!child || child.exitCode !== null || child.signalCode !== null) return true;
      child.kill(signal);
      const late = new AbortController();
      const inTime = await Promise.race([
        gone.then(() => true),
        delay(deadlineMs, false, { signal: late.signal }).catch(() => false),
      ]);
      late.abort();
      if (!inTime) child.kill('SIGKILL');
      await gone;
      return inTime;
    },
    kill() {
      stopping = true;
      child?.kill('SIGKILL');
    },
  };
}

/** Of the codes of a part, those that another start cannot mend become the command's. */
function withExitCode({ code, message }: AppError, exitCode: number): AppError {
  return new AppError(code, message, { exitCode: exitCode === 2 || exitCode === 3 ? exitCode : 1 });
}
