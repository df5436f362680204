/**
 * The way to ClickHouse for commands that read: address, user, and errors as one sentence.
 *
 * Without a named user it asks as the read-only user `reader`, and as `default` where there is no such user.
 */
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { cliError, reasonOf } from '../errors.ts';
import { placesOf } from '../supervise/places.ts';
import { readRunFile } from '../supervise/run-file.ts';
import { answerLines } from './answer.ts';
import { isDenied, isReadOnly, sentence } from './sentence.ts';

export const URL_DEFAULT = 'http://127.0.0.1:8123';
export const DATABASE_DEFAULT = 'tcptrail';
const READER = 'reader';

export interface ConnectionOptions {
  readonly url?: string | undefined;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: string | undefined;
}

export interface Request {
  readonly query: string;
  /** Values of `{name:Type}` in the query. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Format of the answer unless the query names its own. */
  readonly format: string;
  /** `*` gives computed columns as well, if the user may change a setting. */
  readonly isWhole?: true;
  readonly signal?: AbortSignal;
}

export interface Answer {
  /** Body as it comes; the caller reads it to its end. */
  readonly stream: Readable;
  /** What the server wrote: the query may have named its own format. */
  readonly format: string;
}

export interface Connection {
  readonly url: string;
  readonly database: string;
  /** As whom it asks; known after the first answer. */
  readonly user: string;
  /** Throws CLI_CLICKHOUSE_UNREACHABLE, CLI_CLICKHOUSE_DENIED, CLI_QUERY_FAILED. */
  ask(request: Request): Promise<Answer>;
  /** All rows of a small answer; `format` is JSONEachRow. */
  rows<Row>(query: string, params?: Readonly<Record<string, unknown>>): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/**
 * Options, then TCPTRAIL_CLICKHOUSE_URL, _USERNAME, _PASSWORD, _PASSWORD_FILE, _DATABASE, then what runs on this
 * host, then the defaults.
 */
export function createConnection(
  options: ConnectionOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Connection {
  const url = httpUrl(options.url ?? env['TCPTRAIL_CLICKHOUSE_URL'] ?? runningUrl(env));
  const named = options.user ?? env['TCPTRAIL_CLICKHOUSE_USERNAME'];
  const passwordFile = options.passwordFile ?? env['TCPTRAIL_CLICKHOUSE_PASSWORD_FILE'];
  const password =
    options.password ??
    (passwordFile ? firstLine(passwordFile) : (env['TCPTRAIL_CLICKHOUSE_PASSWORD'] ?? ''));
  const database = options.database ?? env['TCPTRAIL_CLICKHOUSE_DATABASE'] ?? DATABASE_DEFAULT;
  const clients = new Map<string, ClickHouseClient>();
  let user = named ?? READER;
  let maySet = true;

  const clientOf = (username: string): ClickHouseClient => {
    let client = clients.get(username);
    if (!client) {
      client = createClient({
        url,
        username,
        password,
        application: 'tcptrail-cli',
        request_timeout: 3_600_000,
        log: { level: 127 },
      });
      clients.set(username, client);
    }
    return client;
  };

  const send = async (request: Request): Promise<Answer> => {
    const result = await clientOf(user).exec({
      query: request.query,
      ...(request.params ? { query_params: { ...request.params } } : {}),
      ...(request.signal ? { abort_signal: request.signal } : {}),
      // Not a setting but a parameter of the interface: only a default, the query's own FORMAT wins.
      clickhouse_settings: {
        ...(request.isWhole && maySet ? { asterisk_include_alias_columns: '1' } : {}),
        default_format: request.format,
        database,
      } as Record<string, string>,
    });
    const format = result.response_headers['x-clickhouse-format'];
    return { stream: result.stream, format: typeof format === 'string' ? format : request.format };
  };

  const ask = async (request: Request): Promise<Answer> => {
    try {
      return await send(request);
    } catch (error) {
      if (named === undefined && user === READER && isDenied(error)) {
        user = 'default';
        return ask(request);
      }
      // A user who may change no setting has `*` without it.
      if (isReadOnly(error) && request.isWhole && maySet) {
        maySet = false;
        return ask(request);
      }
      throw sentence(error, { url, user, database });
    }
  };

  return {
    url,
    database,
    get user() {
      return user;
    },
    ask,
    async rows<Row>(query: string, params?: Readonly<Record<string, unknown>>) {
      const answer = await ask({ query, format: 'JSONEachRow', ...(params ? { params } : {}) });
      const rows: Row[] = [];
      for await (const line of answerLines(answer.stream, url)) rows.push(JSON.parse(line) as Row);
      return rows;
    },
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}

/** Where the `up` of this host listens now, else the standard port. */
function runningUrl(env: Readonly<Record<string, string | undefined>>): string {
  const places = placesOf({ home: env['TCPTRAIL_HOME'], instance: 'default' });
  return readRunFile(places)?.url || URL_DEFAULT;
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw cliError('CLI_USAGE', [`${text} is no address such as ${URL_DEFAULT}`, 'tcptrail query']);
  }
  return text.replace(/\/+$/, '');
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n')[0]?.trim() ?? '';
  } catch (error) {
    throw cliError('CLI_FILE_UNREADABLE', [file, reasonOf(error)], { cause: error });
  }
}
