/** A database with known rows, for tests of what keeps, copies and forgets them. */
import { after, before } from 'node:test';
import { createDatabase, type TestDatabase } from '../../consumer/test/database.ts';
import { startServer, type TestServer } from '../../test/harness/server.ts';
import { NOW_US } from '../../test/spool-writer.ts';
import { run } from './run-command.ts';

export interface Kept extends TestDatabase {
  readonly name: string;
  readonly url: string;
  /** Options of the commands that ask ClickHouse. */
  readonly at: readonly string[];
  sql(statement: string): Promise<void>;
  /** Count and checksum of a table's rows. */
  sumOf(table: string): Promise<{ readonly n: number; readonly hash: string }>;
}

/** One ClickHouse a test file; each call gives a database of its own. */
export function useKeptDatabases(): () => Promise<Kept> {
  let server: TestServer | undefined;
  before(async () => {
    server = await startServer();
  });
  after(() => server?.stop());
  return async () => {
    if (!server) throw new Error('no server');
    const { url } = server;
    const made = await createDatabase(url);
    after(() => made.clickhouse.close());
    const name = made.clickhouse.database;
    return {
      ...made,
      name,
      url,
      at: ['--url', url, '--database', name],
      sql: (statement) => made.clickhouse.statement(statement.replaceAll('{db}', name)),
      async sumOf(table) {
        const [row] = await made.rows<{ n: number; hash: string }>(
          `SELECT count() AS n, toString(sum(cityHash64(*))) AS hash FROM {db}.${table}`,
        );
        return row ?? { n: 0, hash: '' };
      },
    };
  };
}

export const DAY_US = 86_400_000_000;
export const dayOf = (us: number): string => new Date(us / 1000).toISOString().slice(0, 10);
export const TODAY = dayOf(NOW_US);
export const YESTERDAY = dayOf(NOW_US - DAY_US);

/** Runs a command with --json that must succeed; its lines. */
export async function lines<T>(args: readonly string[]): Promise<readonly T[]> {
  const ended = await run([...args, '--json']);
  if (ended.code !== 0) throw new Error(`${args.join(' ')}: exit code ${ended.code}: ${ended.stderr}`);
  return ended.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}
