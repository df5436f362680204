/**
 * The parts of embedded mode in their order: ClickHouse, Kafka where it is wanted, agent, consumer; stopped agent
 * first, so that everything it recorded is stored before Kafka and ClickHouse go.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { READER } from '@tcptrail/agent/publish/cursor.ts';
import { loadConfig } from '@tcptrail/config/load.ts';
import { CONSUMER_CONFIG, type ConsumerConfig } from '@tcptrail/consumer/config.ts';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { cliError } from '../errors.ts';
import { type Account, ROOT } from './account.ts';
import { type Child, createChild } from './child.ts';
import { compileCacheOf } from './compile-cache.ts';
import { bytesWaiting, drainGroup, drainSpool } from './drain.ts';
import { createLogFile } from './log-file.ts';
import { flagsOf, type PartName, programOf } from './parts.ts';
import type { Places } from './places.ts';
import type { ProcessName } from './process-info.ts';
import { agentVariables, consumerVariables, type Route } from './route.ts';
import { type Once, runOnce } from './run-once.ts';

export interface StackConfig {
  readonly places: Places;
  readonly account: Account;
  readonly host: string;
  readonly port: number;
  /** `local`: Kafka is a part, on this port; 0 takes a free one. */
  readonly kafka: { readonly brokers: readonly string[] } | { readonly port: number } | undefined;
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

/** What is not stored when everything has ended. */
export interface LeftBehind {
  readonly spoolBytes: number;
  /** Published and not stored; undefined when Kafka did not tell. */
  readonly messages: number | undefined;
}

export interface Stack {
  readonly url: string;
  readonly route: Route;
  /** As the consumer reads it. Throws CONFIG_*. */
  consumerConfig(): ConsumerConfig;
  readonly parts: Readonly<Record<string, ProcessName>>;
  /** Gives ClickHouse's version. Throws CLI_PART_FAILED. */
  startClickHouse(): Promise<string>;
  /** A local one; gives its version. Throws CLI_PART_FAILED. */
  startKafka(): Promise<string>;
  /** Stores what waits in the spool, past Kafka. Throws CLI_SPOOL_UNSTORED. */
  storeSpool(): Promise<void>;
  /** Gives the user it goes on as once it is attached. */
  startAgent(): Promise<string>;
  startConsumer(): Promise<void>;
  /** Agent and consumer read their configurations again. */
  reload(): void;
  /** Agent, then what it left, consumer, Kafka, ClickHouse. */
  stop(): Promise<LeftBehind>;
  kill(): void;
}

const READY_MS_MAX = 60_000;
const AGENT_STOP_MS_MAX = 15_000;
const DRAIN_MS_MAX = 15_000;
const STOP_MS_MAX = 10_000;
/** It gives java 10 s itself. */
const KAFKA_STOP_MS_MAX = 12_000;
const KAFKA_HOST = '127.0.0.1';

export function createStack(config: StackConfig, deps: StackDeps): Stack {
  const { places, account } = config;
  const children = new Map<PartName, Child>();
  const isLocal = config.kafka !== undefined && 'port' in config.kafka;
  let port = config.port;
  let kafkaPort = config.kafka && 'port' in config.kafka ? config.kafka.port : 0;
  let once: Once | undefined;
  let isStopping = false;
  let isKilled = false;

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
        flags: flagsOf(part),
        program: programOf(part),
        readyMsMax: READY_MS_MAX,
        env: () => ({ ...inherited(rest.account), ...env() }),
        ...own,
      },
      {
        log: createLogFile(join(places.log, `${part}.log`)),
        onDeath: (why, waitMs) =>
          deps.say(`${name} ended (${why}); starting it again in ${waitMs / 1_000} s`, true),
        onBack: () => deps.say(`${name} runs again`, false),
        onGivenUp: deps.onGivenUp,
        onProcess: deps.onProcess,
      },
    );
    children.set(part, made);
    return made;
  };

  const url = (): string => `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;

  const route = (): Route => {
    if (!config.kafka) return { kind: 'spool' };
    const brokers = 'brokers' in config.kafka ? config.kafka.brokers : [`${KAFKA_HOST}:${kafkaPort}`];
    return { kind: 'kafka', brokers, isLocal };
  };

  const consumerEnv = (way: Route): Record<string, string> => ({
    TCPTRAIL_CLICKHOUSE_URL: url(),
    TCPTRAIL_SPOOL_PATH: places.spool,
    TCPTRAIL_METRICS_PORT: String(config.consumerMetricsPort),
    ...(config.password === undefined ? {} : { TCPTRAIL_CLICKHOUSE_PASSWORD: config.password }),
    ...consumerVariables(way),
  });

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
  const kafka = child('kafka', 'Kafka', {
    args: () => ['--data', places.kafka, '--host', KAFKA_HOST, '--port', String(kafkaPort)],
    env: () => ({}),
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
      TCPTRAIL_PRIVILEGE_USER: account.uid === ROOT.uid ? '' : account.name,
      // Waiting is the supervisor's: it starts the agent later each time, and gives up.
      TCPTRAIL_GUEST_CRASH_WAIT_MS_MAX: '0',
      ...agentVariables(route()),
    }),
    account: ROOT,
    isReady: (line) => line.includes('agent runs') || line.startsWith('{"ready":true'),
  });
  const consumer = child('consumer', 'the consumer', {
    args: () => configOf(places.consumerConfig),
    env: () => consumerEnv(route()),
    account,
    isReady: (line) => /"msg":"reading .* into /.test(line),
  });

  const consumerConfig = (): ConsumerConfig =>
    loadConfig(CONSUMER_CONFIG, {
      part: 'consumer',
      file: places.consumerConfig,
      required: false,
      env: { ...inherited(account), ...consumerEnv(route()) },
    });

  /** What the agent left goes on to ClickHouse, as long as somebody stores it. */
  async function drain(): Promise<LeftBehind> {
    const isIdle = !consumer.process;
    const deadlineMs = performance.now() + DRAIN_MS_MAX;
    const patience = { deadlineMs, isOver: () => isIdle || isKilled };
    if (!config.kafka) return { spoolBytes: await drainSpool(places.spool, patience), messages: 0 };
    // Without an agent nobody publishes the rest.
    const spoolBytes = bytesWaiting(places.spool, READER);
    if (isIdle && !agent.process) return { spoolBytes, messages: 0 };
    return { spoolBytes, messages: await drainGroup(consumerConfig, patience) };
  }

  return {
    get url() {
      return url();
    },
    get route() {
      return route();
    },
    consumerConfig,
    get parts() {
      const named = [...children].flatMap(([part, { process }]) =>
        process ? [[part, process] as const] : [],
      );
      const early = once?.process ? { consumer: once.process } : {};
      return { ...Object.fromEntries(named), ...early };
    },
    async startClickHouse() {
      const ready = JSON.parse(await clickhouse.start()) as { port: number; version: string };
      // A later start takes the same port, whatever chose it first.
      port = ready.port;
      return ready.version;
    },
    async startKafka() {
      const ready = JSON.parse(await kafka.start()) as { port: number; version: string };
      kafkaPort = ready.port;
      return ready.version;
    },
    async storeSpool() {
      const log = createLogFile(join(places.log, 'consumer.log'));
      const args = [...configOf(places.consumerConfig), '--once'];
      const env = { ...inherited(account), ...consumerEnv({ kind: 'spool' }) };
      once = runOnce({ program: programOf('consumer'), args, env, account }, log);
      deps.onProcess();
      const reason = (await once.ended) || (isStopping ? 'it was stopped' : '');
      once = undefined;
      deps.onProcess();
      if (reason !== '') throw cliError('CLI_SPOOL_UNSTORED', [places.spool, reason, log.path]);
    },
    async startAgent() {
      return userOf(await agent.start());
    },
    async startConsumer() {
      await consumer.start();
    },
    reload() {
      agent.hangUp();
      consumer.hangUp();
    },
    async stop() {
      isStopping = true;
      // The recording ends too: nobody is there to go on with it.
      if (!(await agent.stop(AGENT_STOP_MS_MAX, 'SIGINT')))
        deps.say(
          "the agent did not end in time and was killed; the kernel records on: 'tcptrail stop' ends that",
          true,
        );
      once?.kill('SIGTERM');
      await once?.ended;
      const left = await drain();
      await consumer.stop(STOP_MS_MAX);
      await kafka.stop(KAFKA_STOP_MS_MAX);
      await clickhouse.stop(STOP_MS_MAX);
      return left;
    },
    kill() {
      isKilled = true;
      once?.kill('SIGKILL');
      for (const each of children.values()) each.kill();
    },
  };
}

function configOf(file: string): readonly string[] {
  return existsSync(file) ? ['--config', file] : [];
}

/** Out of the line that says that the agent runs. */
function userOf(line: string): string {
  return (JSON.parse(line) as { readonly user?: string }).user ?? ROOT.name;
}

/** The last one only lets a part start sooner. */
const SHELL = new Set(['PATH', 'LANG', 'TZ', 'LC_ALL', 'JDK_JAVA_OPTIONS']);

/** The environment a part needs: no secrets of the shell that started us. */
function inherited(account: Account): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) =>
    // Where this machine's parts find ClickHouse is the supervisor's to say.
    name.startsWith('TCPTRAIL_') ? !name.startsWith('TCPTRAIL_CLICKHOUSE_') : SHELL.has(name),
  );
  const cache = compileCacheOf(account);
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, value ?? ''])),
    ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }),
  };
}
