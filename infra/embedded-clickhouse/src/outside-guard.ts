import { ClickHouseException } from './exception.ts';
import { type Statement, upper } from './statement.ts';
import { type Token, tokenize } from './tokens.ts';

/** Functions that read files or call out; they work as bare names too (`APPLY(file)`), so the name alone is refused. */
const FUNCTIONS = /^(?:file|filesystem|catboostEvaluate|ai(?:Classify|Embed|Extract|Generate|Translate))$/i;

/** Table functions that reach outside, or that take SQL or a table's name as a string (`eval`, `loop`). */
const SOURCES =
  /^(?:arrowflight|arrowstream|azureBlobStorage|cluster|clusterAllReplicas|cosn|deltaLake|disk|eval|executable|file|gcs|hasColumnInTable|hdfs|hudi|iceberg|input|jdbc|loop|mongodb|mysql|odbc|oss|paimon|postgresql|python|redis|remote|remoteSecure|s3|sqlite|url|ytsaurus)(?:S3|Azure|HDFS|Local)?(?:Cluster)?$/i;

/** Engines of tables and databases that keep everything in the data folder. */
const ENGINES =
  /^(?:(?:Replicated)?(?:Aggregating|Coalescing|Collapsing|Graphite|Replacing|Summing|VersionedCollapsing)?MergeTree|Atomic|Dictionary|FuzzJSON|GenerateRandom|Join|Log|MaterializedView|Memory|Merge|Null|Ordinary|Set|StripeLog|TinyLog|View)$/;

/** Settings that name files or places, or that change how a statement is read. */
const SETTINGS =
  /^(?:dialect|format_avro_schema_registry_url|format_schema\w*|format_template_\w+|input_format_record_errors_file_path|input_format_values_(?:interpret_expressions|deduce_templates_of_expressions)|output_format_schema|rename_files_after_processing|url_base)$/i;

/** The engine's database `default` takes such a table name for a file. */
const PATH = /^[/~]|\.\.|:\/\//;

const BEFORE_TABLE = new Set(['FROM', 'JOIN', 'TABLE', 'DESCRIBE', 'DESC', 'INTO', 'EXISTS']);

/** Expressions in the rows of `VALUES` off: what is too long to be looked at must not call functions. */
export const PLAIN_VALUES: ReadonlyMap<string, string> = new Map([
  ['input_format_values_interpret_expressions', '0'],
  ['input_format_values_deduce_templates_of_expressions', '0'],
]);

/** What the guard looks at in a request. */
export interface Guarded {
  readonly statement: Statement;
  readonly settings: ReadonlyMap<string, string>;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Nobody reads or writes files of the host, or other hosts, through this server: the process can, so SQL could.
 *
 * Looks at tokens, not at meaning, and rather refuses too much: a column of the name `file` cannot be selected.
 * Throws ACCESS_DENIED.
 */
export function assertInside({ statement, settings, parameters }: Guarded): void {
  const { tokens } = statement;
  const head = upper(tokens[0]);
  if (head === 'BACKUP' || head === 'RESTORE' || head === 'COPY') deny(head);
  assertTokensInside(tokens);
  for (const name of settings.keys()) if (SETTINGS.test(name)) deny(`The setting ${name}`);
  tokens.forEach((token, i) => {
    if (upper(token) !== 'IDENTIFIER' || tokens[i - 1]?.text !== ':') return;
    const value = parameters.get(tokens[i - 2]?.text ?? '') ?? '';
    if (FUNCTIONS.test(value) || SOURCES.test(value) || PATH.test(value)) deny(value);
  });
}

/** The same for the rows of `VALUES`, which are expressions; one character a byte. Throws ACCESS_DENIED. */
export function assertRowsInside(rows: string): void {
  assertTokensInside([...tokenize(rows)]);
}

function assertTokensInside(tokens: readonly Token[]): void {
  // For each open parenthesis whether a FROM stood in it: a string after a comma may name a table then.
  const fromSeen = [false];
  tokens.forEach((token, i) => {
    const [before, after] = [tokens[i - 1], tokens[i + 1]];
    if (token.kind === 'mark' && token.text === '(') fromSeen.push(false);
    if (token.kind === 'mark' && token.text === ')' && fromSeen.length > 1) fromSeen.pop();
    if (upper(token) === 'FROM') fromSeen[fromSeen.length - 1] = true;
    const mayBeTable = BEFORE_TABLE.has(upper(before)) || (before?.text === ',' && fromSeen.at(-1));
    if (
      token.kind === 'string' &&
      mayBeTable &&
      (PATH.test(token.text.slice(1)) || token.text.includes('\\'))
    )
      deny(token.text);
    if (token.kind !== 'word' && token.kind !== 'quoted') return;
    const isEngine = before?.text === '=' && upper(tokens[i - 2]) === 'ENGINE';
    const isBareEngine = upper(before) === 'ENGINE' && after?.text === '(';
    if ((isEngine || isBareEngine) && !ENGINES.test(token.text)) deny(`The engine ${token.text}`);
    if (FUNCTIONS.test(token.text)) deny(token.text);
    if (SOURCES.test(token.text) && after?.text === '(') deny(token.text);
    if (token.kind === 'quoted' && PATH.test(token.text)) deny(token.text);
    if (SETTINGS.test(token.text) && after?.text === '=') deny(`The setting ${token.text}`);
    const isDictionary = upper(token) === 'SOURCE' && after?.text === '(';
    if (isDictionary && upper(tokens[i + 2]) !== 'NULL') deny(`SOURCE(${tokens[i + 2]?.text ?? ''})`);
  });
}

function deny(what: string): never {
  throw new ClickHouseException(
    'ACCESS_DENIED',
    `Not enough privileges. ${what} reaches outside the database: send rows with INSERT, and read them with SELECT`,
  );
}
