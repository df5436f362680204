/** Embedded ClickHouse with tcptrail's tables and a few rows, for tests of commands that read. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { migrate } from '@tcptrail/consumer/migrate/migrate.ts';
import { type ClickHouse, createClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import { storedForm } from '../../test/predicted-values.ts';
import { programOf } from '../src/supervise/parts.ts';

export interface StoredEvents {
  readonly url: string;
  readonly port: number;
  /** Stores one batch the way the consumer does: its events, then its row. Absent columns are empty. */
  store(offset: number, events: readonly object[], origin?: string): Promise<void>;
  execute(sql: string): Promise<string>;
  stop(): Promise<void>;
}

export const ORIGIN = 'spool:test-host:1700000000000000';

export async function createStoredEvents(args: readonly string[] = []): Promise<StoredEvents> {
  const folder = mkdtempSync(join(tmpdir(), 'tcptrail-cli-'));
  const server = spawn(
    process.execPath,
    [programOf('clickhouse'), '--data', folder, '--port', '0', ...args],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const exited = new Promise((resolve) => server.once('exit', resolve));
  const ready = await new Promise<string>((resolve, reject) => {
    createInterface({ input: server.stdout }).once('line', resolve);
    void exited.then(() => reject(new Error('embedded ClickHouse did not start')));
  });
  const { port } = JSON.parse(ready) as { port: number };
  const url = `http://127.0.0.1:${port}`;

  const execute = async (sql: string): Promise<string> => {
    const answer = await fetch(url, { method: 'POST', body: sql });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text;
  };
  const insert = (table: string, rows: readonly object[]): Promise<string> =>
    execute(
      `INSERT INTO tcptrail.${table} FORMAT JSONEachRow\n${rows.map((row) => JSON.stringify(row)).join('\n')}`,
    );

  return {
    url,
    port,
    execute,
    async store(offset, events, origin = ORIGIN) {
      const now = new Date().toISOString().replace('T', ' ').replace('Z', '');
      const common = { day: now.slice(0, 10), host_name: 'test-host', host_id: 'test-host', origin };
      const place = { origin_partition: 0, origin_offset: offset, batch_seq: offset };
      if (events.length > 0)
        await insert(
          'tcp_events',
          events.map((event, seq) =>
            storedForm({ ...common, ...place, ts: now, cpu: 0, seq: offset * 1_000 + seq, ...event }),
          ),
        );
      await insert('tcp_batches', [{ ...common, ...place, batch_ts: now }]);
    },
    async stop() {
      server.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The consumer's client of it; the caller closes it. */
export const clickhouseOf = ({ url }: StoredEvents): ClickHouse =>
  createClickHouse({
    url,
    username: 'default',
    password: '',
    database: 'tcptrail',
    requestWaitMsMax: 30_000,
  });

export async function migrated(stored: StoredEvents): Promise<void> {
  const clickhouse = clickhouseOf(stored);
  try {
    await migrate(clickhouse);
  } finally {
    await clickhouse.close();
  }
}
