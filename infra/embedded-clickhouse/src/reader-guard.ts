import { ClickHouseException } from './exception.ts';
import { type Statement, upper } from './statement.ts';

/** Functions that read files or call out although `readonly=1` lets them: they work as bare names too (`APPLY(file)`). */
const FORBIDDEN = /^(?:file|filesystem|catboostEvaluate|ai(?:Classify|Embed|Extract|Generate|Translate))$/i;

/** Table functions that reach outside; `DESCRIBE` of one opens its source in spite of `readonly=1`. */
const SOURCES =
  /^(?:url|executable|s3|gcs|oss|cosn|hdfs|azureBlobStorage|remote|remoteSecure|cluster|clusterAllReplicas|mysql|postgresql|mongodb|redis|sqlite|odbc|jdbc|ytsaurus|iceberg|deltaLake|hudi|paimon|python|arrowflight|arrowstream|eval|input)(?:\w*Cluster|S3|Azure|HDFS|Local)?$/i;

/**
 * Nobody reads or writes files of the host, or other hosts, through this server: the process can, so SQL could.
 *
 * Looks at tokens, not at meaning, and rather refuses too much: a column of the name `file` cannot be selected.
 * Throws ACCESS_DENIED.
 */
export function assertInside(statement: Statement, parameters: ReadonlyMap<string, string>): void {
  const denied = (name: string): never => {
    throw new ClickHouseException(
      'ACCESS_DENIED',
      `Not enough privileges. ${name} reaches outside the database; send rows with INSERT, and read them with SELECT`,
    );
  };
  const { tokens } = statement;
  tokens.forEach((token, i) => {
    if (token.kind !== 'word' && token.kind !== 'quoted') return;
    if (FORBIDDEN.test(token.text)) denied(token.text);
    const isEngine = tokens[i - 1]?.text === '=' && upper(tokens[i - 2]) === 'ENGINE';
    if (SOURCES.test(token.text) && (isEngine || tokens[i + 1]?.text === '(')) denied(token.text);
  });
  for (const value of parameters.values()) if (FORBIDDEN.test(value) || SOURCES.test(value)) denied(value);
}

/** What the engine's `readonly=1` leaves open to the user `reader`, closed. Throws READONLY. */
export function assertReaderMay(statement: Statement): void {
  if (statement.kind === 'other' || statement.kind === 'insert_data')
    throw new ClickHouseException('READONLY', 'reader: Cannot execute query in readonly mode.');
  if (upper(statement.tokens[0]) === 'SET' && statement.tokens.some((t) => /^readonly$/i.test(t.text)))
    throw new ClickHouseException('READONLY', "Cannot modify 'readonly' setting in readonly mode.");
}

/**
 * Settings a reader may send: by name, since a family such as `output_format_*` holds some that write files
 * (`output_format_schema`).
 */
const HARMLESS: ReadonlySet<string> = new Set(
  `cancel_http_readonly_queries_on_client_close date_time_input_format date_time_output_format
  enable_analyzer extremes final join_use_nulls log_comment log_queries max_block_size max_execution_time
  max_query_size max_result_bytes max_result_rows max_rows_to_group_by max_rows_to_read max_bytes_to_read max_threads
  optimize_read_in_order output_format_csv_crlf_end_of_line output_format_decimal_trailing_zeros
  output_format_json_escape_forward_slashes output_format_json_named_tuples_as_objects
  output_format_json_quote_64bit_floats output_format_json_quote_64bit_integers
  output_format_json_quote_decimals output_format_json_quote_denormals output_format_native_encode_types_in_binary_format
  output_format_parallel_formatting output_format_pretty_color output_format_pretty_max_rows
  output_format_write_statistics prefer_column_name_to_alias priority query_cache_ttl read_overflow_mode
  result_overflow_mode session_timezone timeout_overflow_mode use_query_cache wait_end_of_query`.split(/\s+/),
);

/** A reader's settings are set before its connection is locked, so they are checked here. Throws READONLY. */
export function assertReaderSettings(settings: ReadonlyMap<string, string>): void {
  for (const [name, value] of settings) {
    const locks = name === 'readonly' && value !== '0';
    if (!locks && !HARMLESS.has(name))
      throw new ClickHouseException('READONLY', `Cannot modify '${name}' setting in readonly mode.`);
  }
}
