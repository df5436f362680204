import type { IncomingMessage } from 'node:http';
import { ClickHouseException } from './exception.ts';

/** What a client asks, before its body is read. */
export interface HttpQuery {
  readonly user: string;
  readonly password: string;
  /** Statement in the URL, '' when the body holds all of it. One character a byte. */
  readonly statement: string;
  readonly queryId?: string;
  readonly database?: string;
  readonly defaultFormat: string;
  readonly settings: ReadonlyMap<string, string>;
  /** `param_x` under the name `x`, as sent: in ClickHouse's escaped text form. */
  readonly parameters: ReadonlyMap<string, string>;
  /** GET and HEAD must not change anything. */
  readonly readMethod: boolean;
  readonly compressResponse: boolean;
  /** The client sent a `session_id`; there are no sessions, but only a statement that relies on one is refused. */
  readonly expectsSession: boolean;
}

/** URL parameters that steer the HTTP exchange; every other one is a setting. */
const CONTROLS = new Set(
  `query query_id database user password role quota_key session_id session_timeout session_check close_session
   default_format compress decompress enable_http_compression http_zlib_compression_level wait_end_of_query
   buffer_size send_progress_in_http_headers http_headers_progress_interval_ms client_protocol_version
   cancel_http_readonly_queries_on_client_close stacktrace http_write_exception_in_output_format`.split(
    /\s+/,
  ),
);

/** Throws ClickHouseException for what this server cannot do. */
export function readHttpQuery(request: IncomingMessage): HttpQuery {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const settings = new Map<string, string>();
  const parameters = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) parameters.set(identifier(name.slice('param_'.length)), value);
    else if (!CONTROLS.has(name)) settings.set(identifier(name), value);
  }
  const one = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  if (one('compress') === '1' || one('decompress') === '1') {
    throw new ClickHouseException(
      'NOT_IMPLEMENTED',
      'compress=1 and decompress=1 (ClickHouse blocks) are not supported here, use Content-Encoding and enable_http_compression=1',
    );
  }
  if (request.headers['content-type']?.startsWith('multipart/form-data'))
    throw new ClickHouseException(
      'NOT_IMPLEMENTED',
      'External tables (multipart/form-data) are not supported here',
    );
  const queryId = one('query_id') ?? header(request, 'x-clickhouse-query-id');
  const database = one('database') ?? header(request, 'x-clickhouse-database');
  return {
    ...credentials(request, url.searchParams),
    statement: Buffer.from(one('query') ?? '').toString('latin1'),
    defaultFormat: identifier(
      one('default_format') ?? header(request, 'x-clickhouse-format') ?? 'TabSeparated',
    ),
    settings,
    parameters,
    readMethod: request.method === 'GET' || request.method === 'HEAD',
    compressResponse: ['1', 'true'].includes(one('enable_http_compression') ?? '0'),
    expectsSession: (one('session_id') ?? '') !== '',
    ...(queryId ? { queryId } : {}),
    ...(database ? { database } : {}),
  };
}

function credentials(
  request: IncomingMessage,
  parameters: URLSearchParams,
): { user: string; password: string } {
  const user = header(request, 'x-clickhouse-user');
  const key = header(request, 'x-clickhouse-key');
  if (user !== undefined || key !== undefined) return { user: user ?? 'default', password: key ?? '' };
  const basic = /^Basic +(\S+)$/i.exec(header(request, 'authorization') ?? '')?.[1];
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString();
    const colon = text.indexOf(':');
    return colon < 0
      ? { user: text, password: '' }
      : { user: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  return { user: parameters.get('user') || 'default', password: parameters.get('password') ?? '' };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Names go into SQL unquoted, so nothing but a name may pass. */
function identifier(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw new ClickHouseException('BAD_ARGUMENTS', `'${name}' is not a name`);
  return name;
}
