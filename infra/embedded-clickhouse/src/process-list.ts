import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ClickHouseException } from './exception.ts';
import { quoteString, type Token } from './tokens.ts';

/** A query from the moment its statement is known until it is answered, its client still there or not. */
export interface RunningQuery {
  readonly queryId: string;
  readonly user: string;
  readonly statement: string;
  readonly logComment: string;
  /** Unique; the name of the file that a result goes into. */
  readonly mark: string;
  /** `sql` under its mark, by which the engine's own list tells this query: chdb gives ids of its own. */
  marked(sql: string): string;
  readonly killed: AbortSignal;
  /** Throws QUERY_WAS_CANCELLED once killed. */
  assertAlive(): void;
  /** Resolves when the query ended. */
  kill(): Promise<void>;
  end(): void;
}

export interface ProcessList {
  /** Throws QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING. */
  add(
    query: Pick<RunningQuery, 'user' | 'statement' | 'logComment'> & { readonly queryId?: string },
  ): RunningQuery;
  find(queryId: string): RunningQuery | undefined;
  all(): RunningQuery[];
  isReadBy(tokens: readonly Token[]): boolean;
  /** `statement` with each `FROM system.processes` reading the list as a client knows it. */
  rewrite(statement: string, tokens: readonly Token[]): string;
  /** The list as a subquery. */
  subquery(): string;
}

const KILL_RETRY_MS = 50;
/** Longer statements are shown cut. */
const STATEMENT_LENGTH_MAX = 2_000;
const MARK = '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})';
/** With bound parameters the engine lists a query as it reads it, without comments: then its file tells which it is. */
const MARK_OF = `coalesce(nullIf(extract(query, '^/\\\\*query ${MARK}\\\\*/'), ''), extract(query, ' INTO OUTFILE \\'[^\\']*/${MARK}\\''))`;

/**
 * The queries of this server. Its rows are the engine's `system.processes` under the clients' query ids,
 * users and statements, and in addition those that receive their body or wait for a connection: to a
 * client asking whether an INSERT may still happen they are running.
 */
export function createProcessList(deps: { readonly control: (sql: string) => Promise<string> }): ProcessList {
  const queries = new Map<string, RunningQuery>();

  function subquery(): string {
    const list = [...queries.values()];
    const texts = (pick: (q: (typeof list)[number]) => string): string =>
      list.map((q) => quoteString(pick(q))).join(', ');
    const known = (pick: (q: (typeof list)[number]) => string, column: string): string =>
      list.length === 0
        ? column
        : `transform(${MARK_OF}, [${texts((q) => q.mark)}], [${texts(pick)}], ${column})`;
    const columns = [
      `${known((q) => q.queryId, 'query_id')} AS query_id`,
      `${known((q) => q.queryId, 'initial_query_id')} AS initial_query_id`,
      `${known((q) => q.user, 'user')} AS user`,
      `${known((q) => q.user, 'initial_user')} AS initial_user`,
      `${known((q) => q.statement, 'query')} AS query`,
    ];
    const engines = `SELECT * REPLACE (${columns.join(', ')}) FROM system.processes`;
    return `(${[engines, ...list.map(waitingRow)].join(' UNION ALL ')})`;
  }

  /** `seen` is read before the engine's rows are: a query that starts in between shows twice, never not at all. */
  function waitingRow(query: RunningQuery): string {
    const seen = `(SELECT groupArray(${MARK_OF}) FROM system.processes)`;
    const settings =
      query.logComment === '' ? 'map()' : `map('log_comment', ${quoteString(query.logComment)})`;
    const [id, user] = [quoteString(query.queryId), quoteString(query.user)];
    const columns = [
      `${id} AS query_id, ${id} AS initial_query_id, ${user} AS user, ${user} AS initial_user`,
      `${quoteString(query.statement)} AS query`,
      `CAST(${settings}, 'Map(LowCardinality(String), LowCardinality(String))') AS Settings`,
      '0 AS read_rows, 0 AS read_bytes, 0 AS written_rows, 0 AS written_bytes, 0 AS memory_usage',
    ];
    return `SELECT * REPLACE (${columns.join(', ')}) FROM (SELECT * FROM system.processes LIMIT 1) WHERE NOT has(${seen}, '${query.mark}')`;
  }

  async function killUntilEnded(mark: string): Promise<void> {
    // A query just handed to the engine is not in its list yet, so once may be too early.
    while (queries.has(mark)) {
      await deps.control(`KILL QUERY WHERE ${MARK_OF} = '${mark}' ASYNC`).catch(() => undefined);
      await delay(KILL_RETRY_MS);
    }
  }

  return {
    add({ queryId = randomUUID(), user, statement, logComment }) {
      if ([...queries.values()].some((q) => q.queryId === queryId)) {
        throw new ClickHouseException(
          'QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING',
          `Query with id = ${queryId} is already running.`,
        );
      }
      const mark = randomUUID();
      const killer = new AbortController();
      let killing: Promise<void> | undefined;
      const query = {
        queryId,
        user,
        statement: statement.slice(0, STATEMENT_LENGTH_MAX),
        logComment,
        mark,
        marked: (sql: string) => `/*query ${mark}*/ ${sql}`,
        killed: killer.signal,
        assertAlive() {
          if (killer.signal.aborted)
            throw new ClickHouseException('QUERY_WAS_CANCELLED', 'Query was cancelled.');
        },
        kill() {
          killer.abort();
          killing ??= killUntilEnded(mark);
          return killing;
        },
        end: () => void queries.delete(mark),
      };
      queries.set(mark, query);
      return query;
    },

    find: (queryId) => [...queries.values()].find((q) => q.queryId === queryId),
    all: () => [...queries.values()],
    subquery,

    isReadBy: (tokens) => tokens.some((_, i) => isProcessTable(tokens, i)),

    rewrite(statement, tokens) {
      let text = '';
      let from = 0;
      tokens.forEach((token, i) => {
        if (!isProcessTable(tokens, i)) return;
        text += statement.slice(from, token.start) + Buffer.from(subquery()).toString('latin1');
        from = tokens[i + 2]?.end ?? token.end;
      });
      return text + statement.slice(from);
    },
  };
}

/** `system.processes` starts at token `i` and is read from there. */
function isProcessTable(tokens: readonly Token[], i: number): boolean {
  const [clause, database, dot, table] = [tokens[i - 1], tokens[i], tokens[i + 1], tokens[i + 2]];
  const isNamed = database?.text === 'system' && dot?.text === '.' && table?.text === 'processes';
  return isNamed && /^(?:from|join)$/i.test(clause?.text ?? '');
}
