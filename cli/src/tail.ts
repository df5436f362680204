/** `tcptrail tail`: connections as they close, out of ClickHouse, by ledger position. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { type Connection, type ConnectionOptions, createConnection } from './clickhouse/connection.ts';
import { isMissingTable } from './clickhouse/sentence.ts';
import { cliError } from './errors.ts';
import { createFeed } from './tail/feed.ts';
import { type FilterOptions, filterOf } from './tail/filter.ts';
import { createPrinter } from './tail/printer.ts';

export interface TailOptions extends ConnectionOptions, FilterOptions {
  readonly json?: boolean;
  /** Stored lines to begin with. */
  readonly lines: number;
  /** false: print those and end. */
  readonly follow: boolean;
}

const POLL_MS = 500;
const RETRY_MS = 2_000;

export async function tail(options: TailOptions): Promise<void> {
  const filter = filterOf(options);
  const connection = createConnection(options);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    const feed = createFeed(connection, { filter, whole: options.json === true });
    const print = createPrinter({ json: options.json === true });
    const first = await feed.start(options.lines).catch((error: unknown) => {
      throw named(error, connection);
    });
    process.stdout.write(print(first));
    let patient = true;
    while (options.follow && !stop.signal.aborted) {
      await delay(patient ? POLL_MS : RETRY_MS, undefined, { signal: stop.signal });
      try {
        process.stdout.write(print(await feed.next()));
        patient = true;
      } catch (error) {
        // A restart of ClickHouse is waited for: positions are kept, so nothing is skipped.
        if (!(error instanceof AppError) || error.code !== 'CLI_CLICKHOUSE_UNREACHABLE') throw error;
        if (patient) process.stderr.write(`tcptrail: ${error.message}; waiting for it\n`);
        patient = false;
      }
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
    await connection.close();
  }
}

function named(error: unknown, { url, database }: Connection): unknown {
  return isMissingTable(error) ? cliError('CLI_NO_TABLES', [url, database], { cause: error }) : error;
}
