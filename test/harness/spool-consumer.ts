/** A consumer process between a spool and a ClickHouse. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { createSpool, type MadeSpool, temporaryFolder } from '../spool-writer.ts';
import { type Part, startPart } from './process.ts';
import type { TestServer } from './server.ts';

export const MAIN = join(import.meta.dirname, '../../consumer/src/main.ts');

export interface SpoolSetup {
  readonly spool: MadeSpool;
  readonly database: string;
  /** The consumer's configuration. */
  readonly file: string;
  start(args?: readonly string[], env?: NodeJS.ProcessEnv): Part;
  /** Runs one with --once, and sees it end with 0. */
  once(): Promise<Part>;
  rows<T>(query: string): Promise<T[]>;
}

let databases = 0;

/** A spool and a database of the test's own, and consumers that read the one into the other. */
export function setUpSpool(
  server: TestServer,
  change: { url?: string; batch?: object; tiers?: object } = {},
): SpoolSetup {
  const spool = createSpool();
  const database = `consumer_${++databases}`;
  const file = join(temporaryFolder(), 'consumer.yaml');
  const clickhouse = { url: change.url ?? server.url, database, requestWaitMsMax: 5000 };
  const config = { clickhouse, spool: { path: spool.path, pollMs: 20 }, metrics: { port: 0 } };
  // Days are closed only where a test asks for it: that writes beside what is tested.
  const tiers = { closeMs: 0, ...change.tiers };
  writeFileSync(file, JSON.stringify({ ...config, tiers, batch: { flushMs: 50, ...change.batch } }));
  const setup: SpoolSetup = {
    spool,
    database,
    file,
    async once() {
      const consumer = setup.start(['--once']);
      assert.equal(await consumer.exited, 0, consumer.output());
      return consumer;
    },
    start(args = [], env = {}) {
      const consumer = startPart([MAIN, '--config', file, ...args], env);
      after(() => consumer.end('SIGKILL'));
      return consumer;
    },
    async rows(query) {
      const result = await server.client.query({
        query: query.replaceAll('{db}', database),
        format: 'JSONEachRow',
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
      });
      return await result.json();
    },
  };
  return setup;
}

/** Rows and batches in the tables: all, and those that differ. */
export async function counts(setup: SpoolSetup): Promise<{ n: number; u: number; b: number; ub: number }> {
  const [row] = await setup.rows<{ n: number; u: number; b: number; ub: number }>(
    `SELECT count() AS n, uniqExact(agent_epoch, cpu, seq) AS u,
      (SELECT count() FROM {db}.tcp_batches) AS b, (SELECT uniqExact(agent_epoch, batch_seq) FROM {db}.tcp_batches) AS ub
     FROM {db}.tcp_events`,
  );
  assert.ok(row);
  return row;
}

/** The cursor stands at the end of the spool. */
export function isCaughtUp(spool: MadeSpool): boolean {
  const files = readdirSync(spool.path);
  if (!files.includes('cursor') || !readdirSync(join(spool.path, 'cursor')).includes('clickhouse.json'))
    return false;
  const cursor = JSON.parse(readFileSync(join(spool.path, 'cursor/clickhouse.json'), 'utf8'));
  return join(spool.path, cursor.segment) === spool.file && cursor.position === statSync(spool.file).size;
}
