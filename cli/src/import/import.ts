/**
 * `tcptrail import`: past connections that Zeek saw, in a database of their own with the same tables and views.
 *
 * The consumer's own store does it, under the hash of the file as origin: what is there already is not stored again,
 * and an import that was killed is finished by the next one.
 */
import { basename } from 'node:path';
import { createRangeDecoder } from '@tcptrail/consumer/decode/range.ts';
import { createLog } from '@tcptrail/consumer/log.ts';
import { createMetrics } from '@tcptrail/consumer/metrics.ts';
import { migrate } from '@tcptrail/consumer/migrate/migrate.ts';
import { withOriginLease } from '@tcptrail/consumer/origin-lease.ts';
import { type ClickHouse, createClickHouse } from '@tcptrail/consumer/store/clickhouse.ts';
import type { Parked, StoreMessage, StoreRange } from '@tcptrail/consumer/store/range.ts';
import { createStore, type Store } from '@tcptrail/consumer/store/store.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { type ConsumerOptions, consumerSettings } from '../consumer-settings.ts';
import { cliError } from '../errors.ts';
import { keepForEver } from '../keep-for-ever.ts';
import { count, plural } from '../terminal/human.ts';
import { type Account, batchesOf, hostIdOf } from './batches.ts';
import { hashOf, linesOfFile } from './log-file.ts';

export interface ImportOptions extends Pick<ConsumerOptions, 'config' | 'url' | 'user' | 'passwordFile'> {
  readonly name: string;
  readonly json?: boolean;
}

const RANGE_ROWS_MAX = 50_000;
const TRIES_MAX = 5;
const LEASE_WAIT_MS_MAX = 60_000;
const BAD_LINES_TOLD = 20;

/** Exit code 1 when a line could not be read. Throws CONFIG_*, CLICKHOUSE_*, MIGRATION_*, ORIGIN_BUSY, CLI_FILE_UNREADABLE, CLI_IMPORT_REFUSED. */
export async function importCommand(files: readonly string[], options: ImportOptions): Promise<void> {
  const { name, json, ...connection } = options;
  const config = consumerSettings(connection);
  const logs: Log[] = [];
  for (const file of files) logs.push({ file, hash: await hashOf(file) });
  const clickhouse = createClickHouse({ ...config.clickhouse, database: `import_${name}` });
  try {
    await migrate(clickhouse);
    await keepForEver(clickhouse);
    const store = openStore(clickhouse);
    for (const log of logs) {
      const account = await importLog({ clickhouse, store }, log);
      if (account.bad > 0) process.exitCode = 1;
      process.stdout.write(json ? jsonOf(log, account, clickhouse) : textOf(log, account, clickhouse));
    }
  } finally {
    await clickhouse.close();
  }
}

function openStore(clickhouse: ClickHouse): Store {
  const log = createLog();
  log.level = 'silent';
  return createStore(
    { triesMax: TRIES_MAX },
    { clickhouse, createDecoder: createRangeDecoder, log, metrics: createMetrics() },
  );
}

interface Log {
  readonly file: string;
  readonly hash: string;
}

type Imported = Account & { readonly isNew: boolean };

interface Target {
  readonly clickhouse: ClickHouse;
  readonly store: Store;
}

async function importLog({ clickhouse, store }: Target, { file, hash }: Log): Promise<Imported> {
  const known = await accountIn(clickhouse, hash);
  if (known) return { ...known, isNew: false };
  const account: Account = { lines: 0, rows: 0, notTcp: 0, header: 0, bad: 0 };
  const place = { origin: `zeek:${hash}`, originPartition: 0 };
  const batches = batchesOf(linesOfFile(file), { hash, hostName: basename(file) }, account, (line, problem) =>
    tellBad(file, line, problem, account.bad),
  );
  let messages: StoreMessage[] = [];
  let rows = 0;
  const flush = async (): Promise<void> => {
    const [parked] = await storeRange({ clickhouse, store }, { ...place, messages, parked: [] });
    if (parked) throw cliError('CLI_IMPORT_REFUSED', [file, parked.detail]);
    messages = [];
    rows = 0;
  };
  for await (const batch of batches) {
    const { agentEpoch, batchSeq, datum } = batch;
    messages.push({ offset: batchSeq, datum, identity: { hostId: hostIdOf(hash), agentEpoch, batchSeq } });
    rows += batch.rows;
    if (rows >= RANGE_ROWS_MAX) await flush();
  }
  if (messages.length > 0) await flush();
  if (account.bad > BAD_LINES_TOLD)
    process.stderr.write(
      `tcptrail: ${file}: ${plural(account.bad - BAD_LINES_TOLD, 'more line')} could not be read\n`,
    );
  return { ...account, isNew: true };
}

/** Under a lock, as another may import the same file. Who lost it, as on a machine that is very busy, asks the ledger again. */
async function storeRange({ clickhouse, store }: Target, range: StoreRange): Promise<readonly Parked[]> {
  const place = { origin: range.origin, originPartition: range.originPartition };
  for (let tries = 1; ; tries++) {
    try {
      return await withOriginLease(clickhouse, { ...place, waitMsMax: LEASE_WAIT_MS_MAX }, (lease) =>
        store.store({ ...range, lease, isFirst: true }),
      );
    } catch (error) {
      const isLost = error instanceof AppError && error.code === 'CONSUMER_PARTITION_LOST';
      if (!isLost || tries === TRIES_MAX) throw error;
    }
  }
}

/** Of a file that is stored as a whole: its last batch carries the account. */
async function accountIn(clickhouse: ClickHouse, hash: string): Promise<Account | undefined> {
  const [row] = await clickhouse.query<Account>(
    `SELECT cpus.seq_last[1] AS lines, cpus.rows[1] AS rows, cpus.failed[1] AS bad,
         rules.filtered[indexOf(rules.rule, 'not_tcp')] AS notTcp, rules.filtered[indexOf(rules.rule, 'header')] AS header
     FROM ${clickhouse.database}.tcp_batches
     WHERE host_id = {host:String} AND boot_id = {hash:String} AND notEmpty(cpus.cpu)`,
    { host: hostIdOf(hash), hash },
  );
  return row;
}

function tellBad(file: string, line: number, problem: string, bad: number): void {
  if (bad <= BAD_LINES_TOLD) process.stderr.write(`tcptrail: ${file} line ${line} is left out: ${problem}\n`);
}

function jsonOf({ file }: Log, account: Imported, { database }: ClickHouse): string {
  const { lines, rows, notTcp, header, bad, isNew } = account;
  return `${JSON.stringify({ file, database, is_new: isNew, lines, connections: rows, not_tcp: notTcp, header, bad })}\n`;
}

function textOf({ file }: Log, account: Imported, { database }: ClickHouse): string {
  const { lines, rows, notTcp, bad, isNew } = account;
  const what = isNew ? `stored in ${database}` : `are in ${database} already`;
  const others = `${count(notTcp)} not TCP, ${count(bad)} not readable`;
  return `${file}: ${plural(rows, 'connection')} ${what}; of ${plural(lines, 'line')} ${others}\n`;
}
