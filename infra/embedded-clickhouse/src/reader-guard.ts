import { ClickHouseException } from './exception.ts';
import { type Statement, upper } from './statement.ts';

/** Functions that read files or call out although `readonly=1` lets them: they work as bare names too (`APPLY(file)`). */
const FORBIDDEN = /^(?:file|filesystem|catboostEvaluate|ai(?:Classify|Embed|Extract|Generate|Translate))$/i;

/** Table functions that reach outside; `DESCRIBE` of one opens its source in spite of `readonly=1`. */
const SOURCES =
  /^(?:url|executable|s3|gcs|oss|cosn|hdfs|azureBlobStorage|remote|remoteSecure|cluster|clusterAllReplicas|mysql|postgresql|mongodb|redis|sqlite|odbc|jdbc|ytsaurus|iceberg|deltaLake|hudi|paimon|python|arrowflight|arrowstream|eval|input)(?:\w*Cluster|S3|Azure|HDFS|Local)?$/i;

/**
 * What the engine's `readonly=1` leaves open to the user `reader`, closed.
 *
 * Looks at tokens, not at meaning, and rather refuses too much: a column of the name `file` cannot be
 * selected by a reader. Throws ACCESS_DENIED or READONLY.
 */
export function assertReaderMay(statement: Statement, parameters: ReadonlyMap<string, string>): void {
  if (statement.kind === 'other' || statement.kind === 'insert_data')
    throw new ClickHouseException('READONLY', 'reader: Cannot execute query in readonly mode.');
  const denied = (name: string): never => {
    throw new ClickHouseException(
      'ACCESS_DENIED',
      `reader: Not enough privileges. The function ${name} is not for this user`,
    );
  };
  statement.tokens.forEach((token, i) => {
    if (token.kind !== 'word' && token.kind !== 'quoted') return;
    if (FORBIDDEN.test(token.text)) denied(token.text);
    if (SOURCES.test(token.text) && statement.tokens[i + 1]?.text === '(') denied(token.text);
  });
  for (const value of parameters.values()) if (FORBIDDEN.test(value) || SOURCES.test(value)) denied(value);
  if (upper(statement.tokens[0]) === 'SET' && statement.tokens.some((t) => /^readonly$/i.test(t.text)))
    throw new ClickHouseException('READONLY', "Cannot modify 'readonly' setting in readonly mode.");
}

/** Settings a reader may send; others could open files (`format_template_row`) or lift the lock. */
const HARMLESS =
  /^(?:(?:max|min|output_format|input_format|date_time|optimize|enable|prefer|join|query_cache|use_query_cache)_\w+|\w+_overflow_mode|extremes|final|log_comment|priority|session_timezone|timeout_before_checking_execution_speed|wait_end_of_query)$/;

/** A reader's settings are set before its connection is locked, so they are checked here. Throws READONLY. */
export function assertReaderSettings(settings: ReadonlyMap<string, string>): void {
  for (const [name, value] of settings) {
    const locks = name === 'readonly' && value !== '0';
    if (!locks && !HARMLESS.test(name))
      throw new ClickHouseException('READONLY', `Cannot modify '${name}' setting in readonly mode.`);
  }
}
