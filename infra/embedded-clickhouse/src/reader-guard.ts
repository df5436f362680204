import { ClickHouseException } from './exception.ts';
import { type Statement, upper } from './statement.ts';

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
  `asterisk_include_alias_columns cancel_http_readonly_queries_on_client_close date_time_input_format date_time_output_format
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
