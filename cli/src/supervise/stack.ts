/**
 * The parts of embedded mode in their order: ClickHouse, agent, consumer; stopped agent first, so that
 * everything it recorded is stored before ClickHouse goes.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { type Account, ROOT } from './account.ts';
import { type Child, createChild } from './child.ts';
import { createLogFile } from './log-file.ts';
import { type PartName, programOf } from './parts.ts';
import { removeEmptyFolders } from './pins.ts';
import type { Places } from './places.ts';
import type { ProcessName } from './process-info.ts';
import { spoolLag } from './spool-lag.ts';

export interface StackConfig {
  readonly places: Places;
  readonly account: Account;
  readonly host: string;
  readonly port: number;
  readonly agentMetricsPort: number;
  readonly consumerMetricsPort: number;
  /** Passwords go by environment: the files may be root's alone. */
  readonly password: string | undefined;
  readonly readerPassword: string | undefined;
}

export interface StackDeps {
  /** Something a person should know; `bad` when something went wrong. */
  readonly say: (text: string, bad: boolean) => void;
  /** A part cannot go on; everything must stop. */
  readonly onGivenUp: (error: AppError) => void;
  readonly onProcess: () => void;
}

export interface Stack {
  readonly url: string;
  readonly parts: Readonly<Record<string, ProcessName>>;
  /** Gives ClickHouse's version. Throws CLI_PART_FAILED. */
  startClickHouse(): Promise<string>;
  startAgent(): Promise<void>;
  startConsumer(): Promise<void>;
  /** Agent, then what it left, then ClickHouse. Gives the bytes that still wait in the spool. */
  stop(): Promise<number>;
  kill(): void;
}

const READY_MS_MAX = 60_000;
const AGENT_STOP_MS_MAX = 15_000;
const DRAIN_MS_MAX = 15_000;
const STOP_MS_MAX = 10_000;
const POLL_MS = 50;

export function createStack(config: StackConfig, deps: StackDeps): Stack {
  const { places, account } = config;
  const children = new Map<PartName, Child>();
  let port = config.port;

  const child = (
    part: PartName,
    name: string,
    rest: {
      args: () => readonly string[];
      env: () => Record<string, string>;
      account: Account;
      isReady: (line: string) => boolean;
    },
  ): Child => {
    const { env, ...own } = rest;
    const made = createChild(
      {
        name,
        program: programOf(part),
        readyMsMax: READY_MS_MAX,
        env: () => ({ ...inherited(), ...env() }),
        ...own,
      },
      {
        log: createLogFile(join(places.log, `${part}.log`)),
        onDeath: (why) => deps.say(`${name} ended (${why}); starting it again`, true),
        onBack: () => deps.say(`${name} runs again`, false),
        onGivenUp: deps.onGivenUp,
        onProcess: deps.onProcess,
      },
    );
    children.set(part, made);
    return made;
  };

  const url = (): string => `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;

  const clickhouse = child('clickhouse', 'ClickHouse', {
    args: () => ['--data', places.clickhouse, '--host', config.host, '--port', String(port)],
    env: () => ({
      ...(config.password === undefined ? {} : { TCPTRAIL_CLICKHOUSE_PASSWORD: config.password }),
      ...(config.readerPassword === undefined
        ? {}
        : { TCPTRAIL_CLICKHOUSE_READER_PASSWORD: config.readerPassword }),
    }),
    account,
    isReady: (line) => line.startsWith('{"ready":true'),
  });
  const agent = child('agent', 'the agent', {
    args: () => configOf(places.agentConfig),
    env: () => ({
      TCPTRAIL_INSTANCE: places.instance,
      TCPTRAIL_SPOOL_PATH: places.spool,
      TCPTRAIL_METRICS_PORT: String(config.agentMetricsPort),
      TCPTRAIL_OWN_SUPERVISOR_PID: String(process.pid),
    }),
    account: ROOT,
    isReady: (line) => line.includes('agent runs') || line.startsWith('{"ready":true'),
  });
  const consumer = child('consumer', 'the consumer', {
    args: () => configOf(places.consumerConfig),
    env: () => ({
      TCPTRAIL_CLICKHOUSE_URL: url(),
      TCPTRAIL_SPOOL_PATH: places.spool,
      TCPTRAIL_METRICS_PORT: String(config.consumerMetricsPort),
      ...(config.password === undefined ? {} : { TCPTRAIL_CLICKHOUSE_PASSWORD: config.password }),
    }),
    account,
    isReady: (line) => /"msg":"reading .* into /.test(line),
  });

  async function drain(): Promise<number> {
    const deadline = performance.now() + DRAIN_MS_MAX;
    for (;;) {
      const waiting = lagOf(places.spool);
      if (waiting === 0 || performance.now() > deadline) return waiting;
      await delay(POLL_MS);
    }
  }

  return {
    get url() {
      return url();
    },
    get parts() {
      const named = [...children].flatMap(([part, { process }]) =>
        process ? [[part, process] as const] : [],
      );
      return Object.fromEntries(named);
    },
    async startClickHouse() {
      const ready = JSON.parse(await clickhouse.start()) as { port: number; version: string };
      // A later start takes the same port, whatever chose it first.
      port = ready.port;
      return ready.version;
    },
    async startAgent() {
      await agent.start();
    },
    async startConsumer() {
      await consumer.start();
    },
    async stop() {
      if (!(await agent.stop(AGENT_STOP_MS_MAX)))
        deps.say('the agent did not end in time and was killed', true);
      // What an agent could not tell to the end stays pinned for the next one.
      removeEmptyFolders(places.instance);
      const waiting = consumer.process ? await drain() : lagOf(places.spool);
      await consumer.stop(STOP_MS_MAX);
      await clickhouse.stop(STOP_MS_MAX);
      return waiting;
    },
    kill() {
      for (const each of children.values()) each.kill();
    },
  };
}

function lagOf(spool: string): number {
  try {
    return spoolLag(spool).bytes;
  } catch {
    // No spool yet: nothing waits.
    return 0;
  }
}

function configOf(file: string): readonly string[] {
  return existsSync(file) ? ['--config', file] : [];
}

const SHELL = new Set(['PATH', 'LANG', 'TZ', 'LC_ALL']);

/** The environment a part needs: no secrets of the shell that started us. */
function inherited(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) =>
    // Where this machine's parts find ClickHouse is the supervisor's to say.
    name.startsWith('TCPTRAIL_') ? !name.startsWith('TCPTRAIL_CLICKHOUSE_') : SHELL.has(name),
  );
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? '']));
}
