/** The exceptions this server raises itself, under ClickHouse's codes and names. */
export const EXCEPTIONS = {
  BAD_ARGUMENTS: 36,
  NOT_IMPLEMENTED: 48,
  SYNTAX_ERROR: 62,
  READONLY: 164,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: 216,
  ABORTED: 236,
  NETWORK_ERROR: 210,
  INTO_OUTFILE_NOT_ALLOWED: 358,
  QUERY_WAS_CANCELLED: 394,
  ACCESS_DENIED: 497,
  AUTHENTICATION_FAILED: 516,
  CANNOT_DECOMPRESS: 271,
  UNKNOWN_COMPRESSION_METHOD: 89,
} as const;

export type ExceptionName = keyof typeof EXCEPTIONS;

/** An answer of ClickHouse's that is an error: number, name and the text between `DB::Exception: ` and ` (NAME)`. */
export class ClickHouseException extends Error {
  readonly code: number;
  readonly exceptionName: string;

  constructor(name: ExceptionName | { readonly code: number; readonly name: string }, message: string) {
    super(message);
    this.name = 'ClickHouseException';
    this.code = typeof name === 'string' ? EXCEPTIONS[name] : name.code;
    this.exceptionName = typeof name === 'string' ? name : name.name;
  }
}

/** The exception in what chdb threw. chdb may wrap the text twice; the innermost code is the engine's own. */
export function fromEngine(error: unknown): ClickHouseException {
  if (error instanceof ClickHouseException) return error;
  const text = error instanceof Error ? error.message : String(error);
  const bare = text.replace(/^(?:[\s\S]*?Code: \d+\. DB::Exception: )(?=Code: \d+\. DB::Exception: )/, '');
  const parts = /Code: (\d+)\. DB::Exception: ([\s\S]*)$/.exec(bare);
  if (parts === null) return new ClickHouseException({ code: 1001, name: 'STD_EXCEPTION' }, text);
  const body = (parts[2] ?? '').trim();
  const tail = /^([\s\S]*?)((?: *\((?:version [^)]*|[A-Z][A-Z0-9_]+)\)\.?)+)$/.exec(body);
  const name = /\(([A-Z][A-Z0-9_]+)\)/.exec(tail?.[2] ?? '')?.[1] ?? 'UNKNOWN_EXCEPTION';
  return new ClickHouseException({ code: Number(parts[1]), name }, tail?.[1] ?? body);
}

/**
 * The engine's exception as if it had been given the statement that the client sent: without the `before` characters
 * put in front of it and the `inserted` text, and about the `user` who sent it: to the engine all are `default`.
 */
export function aboutStatement(
  error: unknown,
  added: { readonly before: number; readonly inserted: string; readonly user: string },
): ClickHouseException {
  const { code, exceptionName, message } = fromEngine(error);
  const less = (_: string, words: string, at: string): string =>
    `${words}${Math.max(1, Number(at) - added.before)}`;
  const text = message
    .replace(/(failed at position )(\d+)/g, less)
    .replace(/(\(line 1, col )(\d+)/g, less)
    .replace(/^default: /, `${added.user}: `)
    .replaceAll(added.inserted === '' ? '\0' : added.inserted, '');
  return new ClickHouseException({ code, name: exceptionName }, text);
}

/** The one-line form that clients parse. */
export function exceptionText(error: ClickHouseException, version: string): string {
  return `Code: ${error.code}. DB::Exception: ${error.message} (${error.exceptionName}) (version ${version} (official build))\n`;
}

const STATUS_OF: ReadonlyMap<string, number> = new Map(
  Object.entries({
    400: `CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_DATE
      CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER CANNOT_PARSE_INPUT_ASSERTION_FAILED CANNOT_PARSE_UUID
      CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6 UNKNOWN_ELEMENT_IN_AST
      UNKNOWN_TYPE_OF_AST_NODE TOO_DEEP_AST TOO_BIG_AST UNEXPECTED_AST_STRUCTURE SYNTAX_ERROR INCORRECT_DATA
      TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE`,
    401: 'REQUIRED_PASSWORD',
    403: 'AUTHENTICATION_FAILED UNKNOWN_USER WRONG_PASSWORD ACCESS_DENIED',
    404: `UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE
      UNKNOWN_SETTING UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT
      UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY UNKNOWN_ROLE`,
    408: 'TIMEOUT_EXCEEDED',
    413: 'QUERY_IS_TOO_LARGE',
    501: 'NOT_IMPLEMENTED',
    503: 'SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK',
  }).flatMap(([status, names]) => names.split(/\s+/).map((name) => [name, Number(status)] as const)),
);

/** The HTTP status ClickHouse gives with an exception of this name. */
export function httpStatus(exceptionName: string): number {
  return STATUS_OF.get(exceptionName) ?? 500;
}
