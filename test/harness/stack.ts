/** The whole path on this machine in a folder of its own: embedded ClickHouse, agent, consumer, as processes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { createTestAgent, type TestAgent } from './agent.ts';
import { type Part, startPart } from './process.ts';

const ROOT = join(import.meta.dirname, '../..');
const SERVER = join(ROOT, 'infra/embedded-clickhouse/src/main.ts');
const CONSUMER = join(ROOT, 'consumer/src/main.ts');

export interface Stack {
  readonly folder: string;
  readonly spool: string;
  readonly client: ClickHouseClient;
  readonly url: string;
  readonly server: Part;
  readonly agent: Part;
  readonly consumer: Part;
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

export async function createStack(options: { agent?: object; consumer?: object } = {}): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-stack-'));
  const testAgent: TestAgent = createTestAgent(folder, options.agent);
  const { spool } = testAgent;
  const consumerConfig = join(folder, 'consumer.yaml');
  let port = 0;
  let client: ClickHouseClient | undefined;
  let server: Part | undefined;
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
      return testAgent.part;
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
    startAgent: testAgent.start,
    startConsumer() {
      consumer = startPart([CONSUMER, '--config', consumerConfig]);
    },
    async rows<T>(query: string, params: Record<string, unknown> = {}) {
      const result = await stack.client.query({ query, query_params: params, format: 'JSONEachRow' });
      return await result.json<T>();
    },
    caughtUp: () => testAgent.isRead('clickhouse'),
    pinnedNumbers: testAgent.pinnedNumbers,
    async stop() {
      await testAgent.stop();
      for (const part of [consumer, server]) await part?.end();
      await client?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return stack;
}
