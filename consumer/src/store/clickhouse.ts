/** The only file that speaks to ClickHouse: queries, INSERTs with a body, and what an error means. */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  ClickHouseError,
  type ClickHouseSettings,
  createClient,
  type ExecParams,
  parseError,
} from '@clickhouse/client';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { type ErrorCode, failure } from '../errors.ts';

export interface ClickHouseConfig {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  readonly cluster?: string;
  readonly requestWaitMsMax: number;
}

export interface Insert {
  /** The statement up to and with FORMAT. */
  readonly query: string;
  readonly body: Uint8Array | Readable;
  readonly settings: ClickHouseSettings;
  readonly signal?: AbortSignal | undefined;
}

export interface ClickHouse {
  readonly url: string;
  readonly database: string;
  /** Of the tables' form (`form.ts`): empty for one node. */
  readonly cluster: string;
  /** Rows with column names as keys; 64-bit numbers come as numbers. */
  query<T>(sql: string, params?: Record<string, unknown>): Promise<T[]>;
  /** A statement without a body. */
  statement(sql: string): Promise<void>;
  /**
   * Resolves when the server wrote the rows, with how many it says it wrote; undefined when it does not say. After any
   * error they may be there or not.
   */
  insert(insert: Insert): Promise<number | undefined>;
  close(): Promise<void>;
}

const DENIED = new Set(['164', '192', '193', '194', '497', '516']);
/** Errors of the rows of an INSERT: trying again cannot help, without them it may. */
const ROWS_REFUSED = new Set(['6', '26', '27', '33', '69', '70', '72', '131', '469', '691']);
/** Errors of the statement: it does not fit the tables, or the other way round. A missing table may come back and is no such error. */
const REFUSED = new Set(['16', '36', '43', '44', '47', '53', '57', '62', '73', '115', '117']);
/** It answers and takes no rows; another replica may. */
const UNWRITABLE = new Set(['242', '243', '774']);
/** What is to be done, where more is to be done than to wait. */
const REMEDIES: Readonly<Record<string, string>> = {
  '202': 'raise max_concurrent_queries, or run fewer consumers',
  '241':
    'raise max_memory_usage or max_server_memory_usage; for the storing of batches it helps, too, to lower batch.rowsMax and batch.bytesMax',
  '242': 'the table is read-only: look for its Keeper and its disk in the log of the server',
  '243': 'free space on its disk',
  '774': 'the table is read-only: undo its setting table_readonly',
  '252': 'merges are behind: send fewer and larger inserts (batch.insertMsMin, batch.flushMs)',
};

export function createClickHouse(config: ClickHouseConfig): ClickHouse {
  const client = createClient({
    url: config.url,
    username: config.username,
    password: config.password,
    request_timeout: config.requestWaitMsMax,
    application: 'tcptrail-consumer',
    max_open_connections: 4,
    log: { LoggerClass: SilentLogger },
  });

  async function request(asked: ExecParams & { readonly values?: Readable }): Promise<Answered> {
    try {
      // exec, never command: command drops the values and resolves.
      const asIs = { ...asked, ignore_error_response: true };
      const { stream, summary, http_status_code: status, response_headers } = await client.exec(asIs);
      const answer = await text(stream);
      if (status === 200 && response_headers['x-clickhouse-exception-code'] === undefined)
        return { answer, summary };
      const error = parseError(answer);
      throw error instanceof ClickHouseError ? error : new ForeignAnswer(`HTTP ${status}`);
    } catch (error) {
      throw explain(error, config);
    }
  }

  return {
    url: config.url,
    database: config.database,
    cluster: config.cluster ?? '',
    async query<T>(sql: string, params: Record<string, unknown> = {}) {
      const { answer } = await request({
        query: `${sql}\nFORMAT JSONEachRow`,
        query_params: params,
        // An error is then told by the status, never amid the rows.
        clickhouse_settings: {
          output_format_json_quote_64bit_integers: 0,
          wait_end_of_query: 1,
          ...(config.cluster ? { distributed_product_mode: 'global' } : {}),
        },
      });
      const lines = answer.split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as T);
    },
    async statement(sql) {
      await request({ query: sql });
    },
    async insert({ query, body, settings, signal }) {
      const { summary } = await request({
        query,
        values: body instanceof Readable ? body : Readable.from([body], { objectMode: false }),
        clickhouse_settings: settings,
        ...(signal ? { abort_signal: signal } : {}),
      });
      return summary && Number(summary.written_rows);
    },
    close: () => client.close(),
  };
}

interface Answered {
  readonly answer: string;
  readonly summary: { readonly written_rows: string } | undefined;
}

/** An error that no ClickHouse tells of: a proxy's, or a limit of HTTP. */
class ForeignAnswer extends Error {}

function explain(error: unknown, config: ClickHouseConfig): AppError {
  const first = String((error as Error)?.message ?? error).split('\n')[0] ?? '';
  const make = (code: ErrorCode, message: string, exitCode = 1): AppError =>
    failure(code, message, { cause: error, exitCode });
  if (error instanceof ForeignAnswer) {
    return make(
      'CLICKHOUSE_UNREACHABLE',
      `at ${config.url} answers something other than ClickHouse (${error.message}); look at the proxy before it, or set clickhouse.url`,
    );
  }
  if (!(error instanceof ClickHouseError)) {
    const why = (error as NodeJS.ErrnoException)?.code ?? first.slice(0, 200);
    return make(
      'CLICKHOUSE_UNREACHABLE',
      `ClickHouse at ${config.url} does not answer (${why}); start it or set clickhouse.url`,
    );
  }
  const brief = `${error.type ?? 'error'} ${error.code}: ${first.slice(0, 300)}`;
  if (ROWS_REFUSED.has(error.code))
    return make('CLICKHOUSE_ROWS_REFUSED', `ClickHouse refuses rows (${brief})`);
  if (DENIED.has(error.code)) {
    return make(
      'CLICKHOUSE_DENIED',
      `ClickHouse at ${config.url} refuses user "${config.username}" (${error.type}); set clickhouse.username and clickhouse.password or passwordFile`,
      2,
    );
  }
  if (REFUSED.has(error.code))
    return make(
      'CLICKHOUSE_REFUSED',
      `ClickHouse refuses the statement (${brief}); where its tables do not fit this consumer, run 'tcptrail migrate', or update the consumer`,
    );
  const remedy = REMEDIES[error.code];
  return make(
    UNWRITABLE.has(error.code) ? 'CLICKHOUSE_UNWRITABLE' : 'CLICKHOUSE_BUSY',
    `ClickHouse cannot do it now (${brief})${remedy ? `; ${remedy}` : ''}`,
  );
}

/** Errors reach us as exceptions; the client's own log would say them twice, with stack traces. */
class SilentLogger {
  trace(): void {}
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(): void {}
}
