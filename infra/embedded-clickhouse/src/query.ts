import { rm } from 'node:fs/promises';
import type { Engine, EngineResult, Surroundings } from './engine.ts';
import { aboutStatement, ClickHouseException } from './exception.ts';
import type { HttpQuery } from './http-request.ts';
import { assertInside, assertRowsInside, PLAIN_VALUES } from './outside-guard.ts';
import type { ProcessList, RunningQuery } from './process-list.ts';
import { assertReaderMay, assertReaderSettings } from './reader-guard.ts';
import type { RequestBody } from './request-body.ts';
import { parseStatement, type Statement, upper } from './statement.ts';
import { quoteString } from './tokens.ts';
import type { User } from './users.ts';

/** The answer to a query: result bytes in memory or, of whatever size, in a file that `dispose` deletes. */
export interface Answer {
  readonly queryId: string;
  readonly format: string;
  readonly body: { readonly bytes: Uint8Array } | { readonly file: string };
  readonly rowsRead: number;
  /** Left out where the engine does not tell: INSERT … SELECT. */
  readonly rowsWritten?: number;
  readonly bytesWritten?: number;
  readonly elapsedSeconds: number;
  dispose(): Promise<void>;
}

export interface QueryDeps {
  readonly engine: Engine;
  readonly processList: ProcessList;
  readonly temporaryFile: (name: string) => string;
  /** Called with the query once it is known, so that the caller can kill it when its client goes away. */
  readonly onRunning: (query: RunningQuery, statement: Statement) => void;
}

/** A statement without rows after it; ClickHouse's own limit (max_query_size) is a quarter of this. */
const STATEMENT_BYTES_MAX = 1024 * 1024;

/** Runs one HTTP query. Throws ClickHouseException; whatever happens, no temporary file stays behind. */
export async function runQuery(
  query: HttpQuery,
  user: User,
  body: RequestBody,
  deps: QueryDeps,
): Promise<Answer> {
  const sent = await readStatement(query, body);
  const { text, statement, insert } = asSelect(sent);
  assertAllowed(query, user, statement);
  const rowsSettings = await assertValuesInside(sent, body);
  const running = deps.processList.add({
    user,
    statement: utf8(sent.text.slice(0, statement.dataStart ?? sent.text.length)).trim(),
    logComment: query.settings.get('log_comment') ?? '',
    ...(query.queryId === undefined ? {} : { queryId: query.queryId }),
  });
  deps.onRunning(running, statement);
  const file = deps.temporaryFile(running.mark);
  let keepFile = false;
  try {
    const surroundings: Surroundings = {
      readOnly: user === 'reader',
      urgent: statement.kind === 'kill' || deps.processList.isReadBy(statement.tokens),
      settings: new Map(
        [...query.settings, ...rowsSettings].filter(([name]) => user !== 'reader' || name !== 'readonly'),
      ),
      parameters: query.parameters,
      ...(query.database === undefined ? {} : { database: query.database }),
    };
    if (insert !== undefined) await body.save(file, insert);
    const lease = await deps.engine.lease(surroundings, running.killed);
    let reusable = false;
    try {
      running.assertAlive();
      const format = statement.format ?? query.defaultFormat;
      const sql = deps.processList.rewrite(text, statement.tokens);
      const run = async (engineSql: string, inserted = ''): Promise<EngineResult> => {
        const marked = running.marked(utf8(engineSql));
        try {
          return await lease.run(marked, format);
        } catch (error) {
          const before = marked.length - utf8(engineSql).length;
          throw aboutStatement(error, { before, inserted: utf8(inserted), user });
        }
      };
      let result: EngineResult;
      if (statement.kind === 'read') {
        // Through a file the result may be of any size, and an error in its last row still has its own status.
        const shift = sql.length - text.length;
        const [before, after] = [
          sql.slice(0, statement.clauseStart + shift),
          sql.slice(statement.clauseStart + shift, statement.end + shift),
        ];
        const tail = statement.format === undefined ? ` FORMAT ${format}` : ` ${after}`;
        const into = ` INTO OUTFILE ${latin1(quoteString(file))}`;
        try {
          result = await run(`${before}${into}${tail}`, statement.format === undefined ? into + tail : into);
        } catch (error) {
          // The engine's parser stumbles over the same place in the text as sent, and shows it in the client's words.
          if (error instanceof ClickHouseException && error.exceptionName === 'SYNTAX_ERROR') await run(text);
          throw error;
        }
        keepFile = true;
      } else if (insert !== undefined) {
        const clause = ` FROM INFILE ${latin1(quoteString(file))} COMPRESSION 'none' `;
        result = await run(insertFromFile(text, statement, clause), clause);
      } else if (statement.kind === 'kill')
        result = await killQueries(text, statement, { user, running, run, deps });
      else result = await run(sql);
      reusable = statement.kind !== 'session';
      const wrote = statement.kind === 'insert_data';
      const copied = !wrote && statement.tokens.some((token) => upper(token) === 'INSERT');
      return {
        queryId: running.queryId,
        format,
        body: keepFile ? { file } : { bytes: result.bytes },
        rowsRead: wrote ? 0 : result.rows,
        ...(copied
          ? {}
          : { rowsWritten: wrote ? result.rows : 0, bytesWritten: wrote ? result.rowBytes : 0 }),
        elapsedSeconds: result.elapsedSeconds,
        dispose: () => rm(file, { force: true }),
      };
    } finally {
      lease.release({ reusable });
    }
  } finally {
    running.end();
    if (!keepFile) await rm(file, { force: true });
  }
}

interface Assembled {
  /** One character a byte. */
  readonly text: string;
  readonly statement: Statement;
  /** Present when rows follow the statement that must go through a file. */
  readonly insert?: { readonly before: Buffer; readonly skip: number };
}

/** Finds the statement in the URL, in the body, or split over both, and where rows begin. */
async function readStatement(query: HttpQuery, body: RequestBody): Promise<Assembled> {
  if (query.statement.trim() !== '') {
    const statement = parseStatement(query.statement);
    if (statement.kind === 'insert_data') {
      const { head, whole } = await body.peek(0);
      if (statement.data === 'values' && head.length === 0 && whole)
        return { text: query.statement, statement };
      const before = Buffer.from(query.statement.slice(statement.dataStart), 'latin1');
      return { text: query.statement, statement, insert: { before, skip: 0 } };
    }
  }
  const { head, whole } = await body.peek(STATEMENT_BYTES_MAX);
  const joint = query.statement.trim() === '' ? '' : `${query.statement}\n`;
  const text = joint + head.toString('latin1');
  const statement = parseStatement(text);
  if (statement.kind === 'insert_data' && !(statement.data === 'values' && whole)) {
    const skip = (statement.dataStart ?? text.length) - joint.length;
    return { text, statement, insert: { before: Buffer.alloc(0), skip } };
  }
  if (!whole)
    throw new ClickHouseException('SYNTAX_ERROR', `Max query size exceeded: ${STATEMENT_BYTES_MAX} bytes`);
  return { text, statement };
}

/** `SHOW PROCESSLIST` as the SELECT that ClickHouse makes of it, so that it reads the list that clients see. */
function asSelect(sent: Assembled): Assembled {
  const [show, list] = sent.statement.tokens;
  if (upper(show) !== 'SHOW' || upper(list) !== 'PROCESSLIST' || list === undefined) return sent;
  const text = `SELECT * FROM system.processes ORDER BY elapsed DESC${sent.text.slice(list.end)}`;
  return { text, statement: parseStatement(text) };
}

/** Looks at the rows of `VALUES`; settings for those too many to be looked at. Throws ACCESS_DENIED. */
async function assertValuesInside(sent: Assembled, body: RequestBody): Promise<ReadonlyMap<string, string>> {
  const { text, statement, insert } = sent;
  if (statement.kind !== 'insert_data') return new Map();
  if (statement.data !== 'values' && statement.format?.toUpperCase() !== 'VALUES') return new Map();
  if (insert === undefined) assertRowsInside(text.slice(statement.dataStart));
  else {
    const { head, whole } = await body.peek(STATEMENT_BYTES_MAX);
    if (!whole) return PLAIN_VALUES;
    assertRowsInside(Buffer.concat([insert.before, head.subarray(insert.skip)]).toString('latin1'));
  }
  return new Map();
}

function assertAllowed(query: HttpQuery, user: User, statement: Statement): void {
  if (statement.tokens.length === 0)
    throw new ClickHouseException('SYNTAX_ERROR', 'Syntax error: Empty query');
  if (statement.several)
    throw new ClickHouseException(
      'SYNTAX_ERROR',
      'Syntax error (Multi-statements are not allowed): send one at a time',
    );
  if (statement.usesClientFile)
    throw new ClickHouseException(
      'INTO_OUTFILE_NOT_ALLOWED',
      'INTO OUTFILE and FROM INFILE are not allowed over HTTP',
    );
  if (statement.tokens.some((t, i) => upper(t) === 'TEMPORARY' && upper(statement.tokens[i + 1]) === 'TABLE'))
    throw new ClickHouseException(
      'NOT_IMPLEMENTED',
      'Temporary tables need a session, and this server has none',
    );
  if (query.readMethod && !['read', 'session'].includes(statement.kind)) {
    throw new ClickHouseException(
      'READONLY',
      'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries.',
    );
  }
  if (query.expectsSession && statement.kind === 'session')
    throw new ClickHouseException(
      'NOT_IMPLEMENTED',
      'Sessions are not kept here, so SET and USE would be forgotten: send settings and database with each query',
    );
  if (user === 'reader') {
    assertReaderMay(statement);
    assertReaderSettings(query.settings);
  }
  assertInside({ statement, settings: query.settings, parameters: query.parameters });
}

/** `FROM INFILE` is how the engine takes rows from a file just as from the wire: defaults, expressions, tokens. */
function insertFromFile(text: string, statement: Statement, clause: string): string {
  const [before, rest] = [
    text.slice(0, statement.clauseStart),
    text.slice(statement.clauseStart, statement.end),
  ];
  if (statement.data === 'format') return before + clause + rest;
  const settings = upper(statement.tokens.at(-1)) === 'VALUES' ? rest.replace(/values\s*$/i, '') : rest;
  return `${before}${clause}${settings} FORMAT Values`;
}

interface KillContext {
  readonly user: User;
  readonly running: RunningQuery;
  readonly run: (sql: string) => Promise<EngineResult>;
  readonly deps: QueryDeps;
}

/** `KILL QUERY WHERE condition [SYNC|ASYNC|TEST]`, the condition asked of the list that clients see. */
async function killQueries(text: string, statement: Statement, context: KillContext): Promise<EngineResult> {
  const { user, running, run, deps } = context;
  const [, query, where] = statement.tokens;
  if (upper(query) !== 'QUERY' || upper(where) !== 'WHERE' || where === undefined) {
    if (user === 'reader')
      throw new ClickHouseException('READONLY', 'reader: Cannot execute query in readonly mode.');
    return run(text);
  }
  const beforeFormat = statement.tokens.filter((token) => token.start < statement.clauseStart);
  const last = beforeFormat.at(-1);
  const mode = ['SYNC', 'ASYNC', 'TEST'].includes(upper(last)) ? upper(last) : 'ASYNC';
  const conditionEnd = upper(last) === mode ? last?.start : last?.end;
  const condition = text.slice(where.end, conditionEnd);
  const list = Buffer.from(deps.processList.subquery()).toString('latin1');
  const mine = user === 'reader' ? ` AND user = 'reader'` : '';
  const matching = `FROM ${list} WHERE (${condition}) AND query_id != ${latin1(quoteString(running.queryId))}${mine}`;
  const found = await run(`SELECT query_id ${matching} FORMAT JSONCompactEachRow`);
  const ids = Buffer.from(found.bytes)
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line): string => JSON.parse(line)[0]);
  const answer = await run(
    `SELECT 'waiting' AS kill_status, query_id, user, query ${matching} ${text.slice(statement.clauseStart, statement.end)}`,
  );
  if (mode === 'TEST') return answer;
  const killed = ids.map((id) => deps.processList.find(id)?.kill());
  if (mode === 'SYNC') await Promise.all(killed);
  return answer;
}

/** SQL is handled one character a byte until it goes to the engine. */
function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
