/** An embedded ClickHouse of a test's own, empty or with the raw tables. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { fillTemplate } from '@tcptrail/consumer/form.ts';
import { startPart } from './process.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface TestServer {
  readonly url: string;
  readonly pid: number;
  readonly client: ClickHouseClient;
  stop(): Promise<void>;
}

export async function startServer(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-server-'));
  const part = startPart([
    join(ROOT, 'infra/embedded-clickhouse/src/main.ts'),
    '--data',
    folder,
    '--port',
    '0',
  ]);
  const { port } = JSON.parse(await part.firstLine) as { port: number };
  const url = `http://127.0.0.1:${port}`;
  // Tests ask before the tables are there; what goes wrong reaches them as exceptions.
  const client = createClient({ url, log: { level: ClickHouseLogLevel.OFF } });
  return {
    url,
    pid: part.pid,
    client,
    async stop() {
      await client.close();
      await part.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Makes the raw tables in database tcptrail straight from the migration's text. */
export async function createRawTables(client: ClickHouseClient): Promise<void> {
  const file = readFileSync(join(ROOT, 'schemas/clickhouse/migrations/0001_raw.sql'), 'utf8');
  const sql = fillTemplate(file, { database: 'tcptrail' })
    .replaceAll(/^--.*$/gm, '')
    // Test rows carry fixed dates; they must not age away.
    .replaceAll(/^TTL .*$/gm, '')
    .replaceAll('ttl_only_drop_parts = 1, ', '');
  await client.command({ query: 'CREATE DATABASE tcptrail' });
  for (const statement of sql.split(/;\n/)) {
    if (statement.trim()) await client.command({ query: statement });
  }
}
