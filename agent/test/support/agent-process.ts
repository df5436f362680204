/** A real agent in a process of its own, with a spool and an instance of the test's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { OracleBatch } from './oracle.ts';
import { readSpool } from './read-spool.ts';
import { tempFolder } from './temp-folder.ts';

export const AGENT_MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const DEADLINE_MS = 60_000;

export interface AgentHome {
  readonly instance: string;
  readonly configFile: string;
  readonly spoolPath: string;
  /** For the next start: these keys instead of `further`. */
  configure(further: object): void;
}

export interface AgentProcess {
  readonly child: ChildProcess;
  stderr(): string;
  /** Exit code, or the signal that ended it. */
  ended(): Promise<number | string>;
}

/** `instance` differs between runs of the tests, so that they never meet. JSON is YAML. */
export function agentHome(
  t: TestContext,
  options: {
    /** Keys of the configuration. */
    readonly further?: object;
    /** Where the spool stands. */
    readonly disk?: string;
    readonly spool?: object;
    readonly metricsPort?: number;
  } = {},
): AgentHome {
  const { further = {}, disk, spool = {}, metricsPort = 0 } = options;
  const folder = tempFolder(t);
  chmodSync(folder, 0o755);
  const spoolPath = join(disk ?? folder, 'spool');
  const configFile = join(folder, 'agent.yaml');
  const instance = `test-${process.pid}-${Math.floor(performance.now())}`;
  t.after(() => {
    rmSync(`/run/tcptrail/agent-${instance}.lock`, { force: true });
    rmSync(`/sys/fs/bpf/tcptrail/${instance}`, { recursive: true, force: true });
  });
  function configure(further: object): void {
    const { guest, ...keys } = { guest: {}, ...further };
    const config = {
      instance,
      batch: { heartbeatMs: 500, flushMs: 100 },
      // Tests kill more often than hosts do, and starve it.
      guest: { crashWaitMsMax: 0, cpuPercentMax: 0, ...guest },
      metrics: { port: metricsPort },
      spool: { path: spoolPath, ...spool },
      ...keys,
    };
    writeFileSync(configFile, JSON.stringify(config));
  }
  configure(further);
  return { instance, configFile, spoolPath, configure };
}

export function startAgent(
  t: TestContext,
  args: readonly string[],
  options: {
    readonly uid?: number;
    readonly gid?: number;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): AgentProcess {
  const { env = {}, ...user } = options;
  const child = spawn(process.execPath, [AGENT_MAIN, ...args], {
    ...user,
    env: { ...process.env, ...env },
    // It leads a session, as a service does.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await closed;
  });
  return {
    child,
    stderr: () => stderr,
    ended: async () => closed.then(([code, signal]) => code ?? signal ?? ''),
  };
}

/** `further` is asked at the deadline. */
export async function until(
  what: string,
  condition: () => boolean,
  further: () => string = () => '',
): Promise<void> {
  for (const end = performance.now() + DEADLINE_MS; !condition(); await sleep(20)) {
    if (performance.now() > end) throw new Error(`gave up waiting: ${what}${further()}`);
  }
}

/** All whole batches of the spool, in the order of writing, as an independent decoder reads them. */
export function spooled(home: AgentHome): OracleBatch[] {
  for (;;) {
    try {
      return [...readSpool(home.spoolPath)];
    } catch (error) {
      // The agent dropped or renamed a segment meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Starts an agent and waits for its first heartbeat. */
export async function runningAgent(
  t: TestContext,
  home: AgentHome,
  env: Readonly<Record<string, string>> = {},
): Promise<AgentProcess> {
  const idOf = (batch: OracleBatch): string => `${batch.agent_epoch}/${batch.batch_seq}`;
  const before = new Set(spooled(home).map(idOf));
  const agent = startAgent(t, ['--config', home.configFile], { env });
  await until(
    'a heartbeat',
    () => {
      if (agent.child.exitCode !== null) throw new Error(`the agent ended: ${agent.stderr()}`);
      // By name: a full spool drops old batches as new ones come.
      return spooled(home).some((batch) => batch.health !== null && !before.has(idOf(batch)));
    },
    () => `; the agent said: ${agent.stderr()}`,
  );
  return agent;
}

/** SIGSTOP; resolves when it has stopped. */
export async function stopped({ child }: AgentProcess): Promise<void> {
  child.kill('SIGSTOP');
  await until('it to stop', () => /^State:\s+T/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8')));
}
