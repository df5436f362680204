/** The whole path on this machine in a folder of its own: embedded ClickHouse, agent, consumer, as processes. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { type Part, startPart } from './process.ts';

const ROOT = join(import.meta.dirname, '../..');
const SERVER = join(ROOT, 'infra/embedded-clickhouse/src/main.ts');
const AGENT = join(ROOT, 'agent/src/main.ts');
const CONSUMER = join(ROOT, 'consumer/src/main.ts');

export interface Stack {
  readonly folder: string;
  readonly spool: string;
  readonly client: ClickHouseClient;
  readonly url: string;
  server: Part;
  agent: Part;
  consumer: Part;
  startServer(): Promise<void>;
  startAgent(): Promise<void>;
  startConsumer(): void;
  /** Rows of a query, column names as keys; 64-bit numbers as strings. */
  rows<T>(query: string, params?: Record<string, unknown>): Promise<T[]>;
  /** Everything in the spool is stored: the consumer's cursor stands at its end. */
  caughtUp(): boolean;
  /** What the kernel had numbered by kernel epoch and CPU, read by bpftool from the accounts pinned now. */
  pinnedNumbers(): Map<string, number>;
  /** Ends what runs, agent first, and removes the folder. */
  stop(): Promise<void>;
}

let instances = 0;

export async function createStack(options: { agent?: object; consumer?: object } = {}): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-stack-'));
  const instance = `test-${process.pid}-${++instances}`;
  const spool = join(folder, 'spool');
  mkdirSync(spool);
  const pins = `/sys/fs/bpf/tcptrail/${instance}`;
  const agentConfig = join(folder, 'agent.yaml');
  const consumerConfig = join(folder, 'consumer.yaml');
  // YAML is a superset of JSON.
  writeFileSync(
    agentConfig,
    JSON.stringify({ instance, spool: { path: spool }, metrics: { port: 0 }, ...options.agent }),
  );
  let port = 0;
  let client: ClickHouseClient | undefined;
  let server: Part | undefined;
  let agent: Part | undefined;
  let consumer: Part | undefined;

  const running = (part: Part | undefined, name: string): Part => {
    if (!part) throw new Error(`${name} was not started`);
    return part;
  };
  const stack: Stack = {
    folder,
    spool,
    get client() {
      client ??= createClient({ url: stack.url, database: 'tcptrail' });
      return client;
    },
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    get server() {
      return running(server, 'server');
    },
    get agent() {
      return running(agent, 'agent');
    },
    get consumer() {
      return running(consumer, 'consumer');
    },
    async startServer() {
      server = startPart([SERVER, '--data', join(folder, 'clickhouse'), '--port', String(port)]);
      port = (JSON.parse(await server.firstLine) as { port: number }).port;
      writeFileSync(
        consumerConfig,
        JSON.stringify({
          clickhouse: { url: stack.url },
          spool: { path: spool },
          metrics: { port: 0 },
          ...options.consumer,
        }),
      );
    },
    async startAgent() {
      agent = startPart([AGENT, '--config', agentConfig]);
      await agent.said('agent runs');
    },
    startConsumer() {
      consumer = startPart([CONSUMER, '--config', consumerConfig]);
    },
    async rows<T>(query: string, params: Record<string, unknown> = {}) {
      const result = await stack.client.query({ query, query_params: params, format: 'JSONEachRow' });
      return await result.json<T>();
    },
    caughtUp() {
      const newest = readdirSync(spool)
        .filter((name) => name.endsWith('.avro'))
        .toSorted()
        .at(-1);
      if (newest === undefined) return false;
      const cursor = JSON.parse(readFileSync(join(spool, 'cursor/clickhouse.json'), 'utf8')) as {
        segment: string;
        position: number;
      };
      return cursor.segment === newest && cursor.position === statSync(join(spool, newest)).size;
    },
    pinnedNumbers() {
      const numbers = new Map<string, number>();
      for (const name of readdirSync(pins)) {
        const epoch = name.replace('accounts-', '');
        const dump = execFileSync('bpftool', ['-j', 'map', 'dump', 'pinned', join(pins, name)], {
          encoding: 'utf8',
        });
        const elements = JSON.parse(dump) as { formatted: { key: number; value: { seq: number } } }[];
        for (const { formatted } of elements) numbers.set(`${epoch}/${formatted.key}`, formatted.value.seq);
      }
      return numbers;
    },
    async stop() {
      for (const part of [agent, consumer, server]) await part?.end();
      await client?.close();
      rmSync(folder, { recursive: true, force: true });
      rmSync(pins, { recursive: true, force: true });
      rmSync(`/run/tcptrail/agent-${instance}.lock`, { force: true });
    },
  };
  return stack;
}
