import { Session } from 'chdb';
import { ClickHouseException, fromEngine } from './exception.ts';
import { quoteString } from './tokens.ts';

/** What one statement finds set on its connection. */
export interface Surroundings {
  readonly readOnly: boolean;
  /** May run where all places are taken. */
  readonly urgent: boolean;
  readonly database?: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly parameters: ReadonlyMap<string, string>;
}

export interface EngineResult {
  readonly bytes: Uint8Array;
  /** Rows of the result, or rows written by an insert. */
  readonly rows: number;
  readonly rowBytes: number;
  readonly elapsedSeconds: number;
}

export interface Lease {
  /** Throws ClickHouseException. */
  run(sql: string, format: string): Promise<EngineResult>;
  /** `reusable: false` when the statement may have left its mark on the connection (`SET`, `USE`). */
  release(outcome: { readonly reusable: boolean }): void;
}

export interface EngineConfig {
  readonly queriesMax: number;
  readonly waitersMax: number;
  readonly memoryBytesMax: number;
  readonly queryMemoryBytesMax: number;
}

export interface Engine {
  start(): Promise<void>;
  /**
   * Waits its turn, then prepares a connection; `killed` gives the place in the queue up.
   * Throws ClickHouseException (also for a setting the engine refuses).
   */
  lease(surroundings: Surroundings, killed: AbortSignal): Promise<Lease>;
  /** Runs on a connection of its own, one statement after the other, however busy the pool is. */
  control(sql: string): Promise<string>;
  version(): string;
  stop(): void;
}

interface Waiter {
  readonly urgent: boolean;
  readonly go: () => void;
  readonly fail: (error: Error) => void;
}

/** Places kept for KILL QUERY and looks at system.processes: a full house must still be governed. */
const URGENT_PLACES = 2;

interface Connection {
  readonly session: Session;
  readonly readOnly: boolean;
  /** Settings it was made with; a read-only connection cannot be given others later. */
  readonly fixedSettings: string;
  settings: string[];
  database: string;
  /** Parameters have no way to be unset, so a connection serves only queries that overwrite all of these. */
  readonly parameters: Set<string>;
}

// libuv has 4 threads by default and a query holds one while it runs. The pool is made at first use, so
// this takes effect as long as it stands before the first asynchronous file operation of the process.
process.env.UV_THREADPOOL_SIZE ??= '24';

/**
 * A pool of connections to the one engine of this process; one connection runs one query at a time.
 *
 * A new connection costs 0.6 ms and 170 KB; the pool keeps idle ones where they can be put back into a
 * clean state. chdb binds parameters of all connections through one queue, so parameters are bound with
 * `SET param_…`, which belongs to the connection and runs in parallel.
 */
export function createEngine(config: EngineConfig, deps: { readonly databaseDir: string }): Engine {
  const idle: Connection[] = [];
  const waiters: Waiter[] = [];
  let running = 0;
  let controller: Session | undefined;
  let controlTurn: Promise<unknown> = Promise.resolve();
  let engineVersion = '';

  const connectionArgs = [
    '--async_load_databases=0',
    '--timezone=UTC',
    `--max_server_memory_usage=${config.memoryBytesMax}`,
    `--max_memory_usage=${config.queryMemoryBytesMax}`,
    // By default a GiB must be free for each thread of a query: with less than two, all would have one.
    '--max_threads_min_free_memory_per_thread=134217728',
    '--mark_cache_size=67108864',
    '--primary_index_cache_size=67108864',
    // clickhouse-local evaluates a bare expression as a SELECT; a server says it is a syntax error.
    '--implicit_select=0',
    // The body is a file by the time it is inserted: to queue it once more would only make the answer late.
    '--async_insert=0',
    // The list of processes is rewritten with the statements of all running queries in it.
    '--max_query_size=8388608',
    // One block of the client's becomes one part, whatever its size in bytes.
    '--max_insert_threads=1',
    '--min_insert_block_size_bytes=0',
  ];
  const open = (): Session => new Session(deps.databaseDir, { connectionArgs });

  function take(wanted: Surroundings): Connection {
    const fixedSettings = wanted.readOnly ? settingsText(wanted.settings) : '';
    const fits = (c: Connection): boolean =>
      c.readOnly === wanted.readOnly &&
      c.fixedSettings === fixedSettings &&
      [...c.parameters].every((name) => wanted.parameters.has(name));
    const at = idle.findLastIndex(fits);
    const found = at < 0 ? undefined : idle.splice(at, 1)[0];
    if (found !== undefined) return found;
    return {
      session: open(),
      readOnly: wanted.readOnly,
      fixedSettings,
      settings: [],
      database: '',
      parameters: new Set(),
    };
  }

  async function prepare(connection: Connection, wanted: Surroundings): Promise<void> {
    const isNew = connection.database === '';
    const statements: string[] = [];
    if (!wanted.readOnly || isNew) {
      const text = settingsText(wanted.settings);
      if (text !== '') statements.push(`SET ${text}`);
      connection.settings = [...wanted.settings.keys()];
    }
    const database = wanted.database ?? 'default';
    if (isNew ? database !== 'default' : connection.database !== database)
      statements.push(`USE \`${database.replace(/[\\`]/g, '\\$&')}\``);
    connection.database = database;
    if (wanted.readOnly && isNew) statements.push('SET readonly = 1');
    if (wanted.parameters.size > 0) {
      const pairs = [...wanted.parameters].map(([name, value]) => `param_${name} = ${quoteString(value)}`);
      statements.push(`SET ${pairs.join(', ')}`);
      for (const name of wanted.parameters.keys()) connection.parameters.add(name);
    }
    for (const sql of statements) await connection.session.queryAsync(sql);
  }

  async function putBack(connection: Connection, reusable: boolean): Promise<void> {
    let keep = reusable && idle.length < config.queriesMax && controller !== undefined;
    if (keep && !connection.readOnly && connection.settings.length > 0) {
      const reset = connection.settings.map((name) => `${name} = DEFAULT`).join(', ');
      keep = await connection.session.queryAsync(`SET ${reset}`).then(
        () => true,
        () => false,
      );
    }
    if (keep) idle.push(connection);
    else connection.session.close();
  }

  const placesFor = ({ urgent }: { readonly urgent: boolean }): number =>
    config.queriesMax + (urgent ? URGENT_PLACES : 0);

  async function turn(urgent: boolean, killed: AbortSignal): Promise<void> {
    if (running < placesFor({ urgent })) {
      running++;
      return;
    }
    if (waiters.length >= config.waitersMax) {
      throw new ClickHouseException(
        'TOO_MANY_SIMULTANEOUS_QUERIES',
        `Too many simultaneous queries. ${running} run and ${waiters.length} wait, which is the limit of this server`,
      );
    }
    await new Promise<void>((go, fail) => {
      const waiter: Waiter = { urgent, go, fail };
      waiters.push(waiter);
      killed.addEventListener('abort', () => {
        const at = waiters.indexOf(waiter);
        if (at < 0) return;
        waiters.splice(at, 1);
        fail(new ClickHouseException('QUERY_WAS_CANCELLED', 'Query was cancelled.'));
      });
    });
  }

  function endTurn(): void {
    running--;
    const at = waiters.findIndex((waiter) => running < placesFor(waiter));
    const next = at < 0 ? undefined : waiters.splice(at, 1)[0];
    if (next === undefined) return;
    running++;
    next.go();
  }

  return {
    async start() {
      controller = open();
      engineVersion = await text(controller, 'SELECT version()');
    },

    async lease(wanted, killed) {
      await turn(wanted.urgent, killed);
      let connection: Connection | undefined;
      try {
        connection = take(wanted);
        await prepare(connection, wanted);
      } catch (error) {
        connection?.session.close();
        endTurn();
        throw fromEngine(error);
      }
      const { session } = connection;
      const leased = connection;
      return {
        async run(sql, format) {
          try {
            const result = await session.queryAsync(sql, { format });
            const { rowsRead, bytesRead, elapsed } = result;
            return { bytes: result.bytes(), rows: rowsRead, rowBytes: bytesRead, elapsedSeconds: elapsed };
          } catch (error) {
            throw fromEngine(error);
          }
        },
        release({ reusable }) {
          void putBack(leased, reusable).finally(endTurn);
        },
      };
    },

    control(sql) {
      const session = controller;
      if (session === undefined) throw new ClickHouseException('ABORTED', 'Server is shutting down');
      const answer = controlTurn.then(() => text(session, sql));
      controlTurn = answer.catch(() => undefined);
      return answer;
    },

    version: () => engineVersion,

    stop() {
      for (const waiter of waiters.splice(0))
        waiter.fail(new ClickHouseException('ABORTED', 'Server is shutting down'));
      for (const connection of idle.splice(0)) connection.session.close();
      controller?.close();
      controller = undefined;
    },
  };
}

async function text(session: Session, sql: string): Promise<string> {
  try {
    return (await session.queryAsync(sql, { format: 'TabSeparated' })).text().trimEnd();
  } catch (error) {
    throw fromEngine(error);
  }
}

function settingsText(settings: ReadonlyMap<string, string>): string {
  return [...settings].map(([name, value]) => `${name} = ${quoteString(value)}`).join(', ');
}
