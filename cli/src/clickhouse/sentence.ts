/** Errors of ClickHouse as one sentence. */
import { ClickHouseError } from '@clickhouse/client';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { cliError, reasonOf } from '../errors.ts';

/** ClickHouse's AUTHENTICATION_FAILED, UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD. */
const DENIED = new Set(['516', '192', '193', '194']);
export const isDenied = (error: unknown): boolean =>
  error instanceof ClickHouseError && DENIED.has(error.code);

/** UNKNOWN_TABLE or UNKNOWN_DATABASE: nothing was migrated yet. */
export function isMissingTable(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error;
  return cause instanceof ClickHouseError && (cause.code === '60' || cause.code === '81');
}

const READONLY = '164';
export const isReadOnly = (error: unknown): boolean =>
  error instanceof ClickHouseError && error.code === READONLY;

const UNKNOWN_DATABASE = '81';

/** Any error of a request as one sentence. */
export function sentence(
  error: unknown,
  at: { readonly url: string; readonly user?: string; readonly database?: string },
): AppError {
  if (error instanceof AppError) return error;
  if (isDenied(error)) return cliError('CLI_CLICKHOUSE_DENIED', [at.url, at.user ?? ''], { cause: error });
  if (error instanceof ClickHouseError) {
    if (isReadOnly(error)) return cliError('CLI_READ_ONLY', [at.user ?? 'this user'], { cause: error });
    if (error.code === UNKNOWN_DATABASE && at.database !== undefined && error.message.includes(at.database))
      return cliError('CLI_NO_TABLES', [at.url, at.database], { cause: error });
    return cliError('CLI_QUERY_FAILED', [oneSentence(error.message), error.code], { cause: error });
  }
  const reason = reasonOf(error).replace(/\s+/g, ' ').slice(0, 80);
  // System errors have a code; what else comes back is an answer that ClickHouse would not give.
  const silent = error instanceof Error && ('code' in error || /timeout|socket|network|abort/i.test(reason));
  return cliError(silent ? 'CLI_CLICKHOUSE_UNREACHABLE' : 'CLI_NO_CLICKHOUSE', [at.url, reason], {
    cause: error,
  });
}

/** ClickHouse's message without its frame, line feeds and stack, short enough to read. */
export function oneSentence(message: string): string {
  const text = message
    .replace(/^Code: \d+\. /, '')
    .replace(/^DB::Exception: /, '')
    .replace(/\s*Stack trace[\s\S]*$/, '')
    .replace(/\s+/g, ' ')
    .replace(/(\s*\([A-Z_]+\))?\s*\(version [^)]*\)?\s*$/, '')
    .replace(/[.\s]+$/, '');
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
