/** `tcptrail up`: all of embedded mode under one supervisor, until Ctrl-C. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { type Connection, createConnection } from './clickhouse/connection.ts';
import { cliError, reasonOf } from './errors.ts';
import { leftOvers } from './supervise/left-overs.ts';
import { placesOf } from './supervise/places.ts';
import { assertPortFree } from './supervise/port.ts';
import { prepare } from './supervise/prepare.ts';
import { takeRunLock } from './supervise/run-file.ts';
import { createStack, type Stack } from './supervise/stack.ts';
import { createFeed, type Feed } from './tail/feed.ts';
import { filterOf } from './tail/filter.ts';
import { createPrinter } from './tail/printer.ts';
import { bytes, plural } from './terminal/human.ts';
import { styleFor } from './terminal/style.ts';

export interface UpOptions {
  readonly home?: string;
  readonly instance: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly agentMetricsPort: number;
  readonly consumerMetricsPort: number;
  readonly passwordFile?: string;
  readonly readerPasswordFile?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const POLL_MS = 500;
const TABLES_POLL_MS = 100;

export async function up(options: UpOptions): Promise<void> {
  if (process.getuid?.() !== 0) throw cliError('CLI_NOT_ROOT', ['up']);
  const places = placesOf(options);
  const password = secret(options.passwordFile);
  const readerPassword = secret(options.readerPasswordFile);
  const style = styleFor(process.stderr);
  const tell = (mark: string, text: string): void => void process.stderr.write(`${mark} ${text}\n`);
  const done = (text: string): void => tell(style('green', '✔'), text);
  const warn = (text: string): void => tell(style('yellow', '!'), text);

  const ending = createEnding();
  const lock = await takeRunLock(places);
  let stack: Stack | undefined;
  let connection: Connection | undefined;
  let stored = 0;
  try {
    await leftOvers(places, (text) => warn(text));
    if (options.port !== 0) await assertPortFree(options.host, options.port);
    const { account, notes } = prepare(places, options.user);
    for (const note of notes) warn(note);
    const running = createStack(
      { ...options, places, account, password, readerPassword },
      {
        say: (text, bad) => (bad ? warn(text) : done(text)),
        onGivenUp: (error) => ending.fail(error),
        onProcess: () => stack && lock.write({ url: stack.url, parts: stack.parts }),
      },
    );
    stack = running;
    ending.onForce(() => running.kill());

    const version = await ending.race(running.startClickHouse());
    lock.write({ url: running.url, parts: running.parts });
    done(`ClickHouse ${version} at ${running.url}, as ${account.name}`);
    await ending.race(running.startAgent());
    done('agent records the connections of this machine, as root');
    await ending.race(running.startConsumer());
    const reader = readerPassword ? { user: 'reader', password: readerPassword } : {};
    const owner = password && !readerPassword ? { user: 'default', password } : {};
    connection = createConnection({ url: running.url, ...reader, ...owner }, {});
    const feed = createFeed(connection, { filter: filterOf({}), whole: options.json === true });
    await ending.race(tablesOf(feed, ending.signal));
    done(`consumer stores them, as ${account.name}; data in ${places.data}`);
    const elsewhere = places.home || places.instance !== 'default' ? ` --url ${running.url}` : '';
    const secured = options.passwordFile ? ` --password-file ${options.passwordFile}` : '';
    const command = process.env['TCPTRAIL_COMMAND'] ?? 'tcptrail';
    process.stderr.write(
      `\n  ${style('bold', 'Ask')}   ${command} query${elsewhere}${secured} "SELECT comm, count() FROM connections GROUP BY comm"\n` +
        `        or any ClickHouse client at ${style('bold', running.url)}, database tcptrail\n` +
        `  ${style('bold', 'Stop')}  Ctrl-C\n\n`,
    );
    const print = createPrinter({ json: options.json === true });
    while (!ending.signal.aborted) {
      await delay(POLL_MS, undefined, { signal: ending.signal }).catch(() => {});
      // ClickHouse may be starting again: the supervisor says so, and positions are kept.
      const rows = ending.signal.aborted ? [] : await feed.next().catch(() => []);
      stored += rows.length;
      if (!options.quiet) process.stdout.write(print(rows));
    }
  } catch (error) {
    if (!ending.signal.aborted) ending.fail(error);
  } finally {
    if (stack) {
      process.stderr.write(`\n${style('dim', 'stopping; Ctrl-C again ends it at once')}\n`);
      const waiting = await stack.stop();
      if (waiting > 0) warn(`${bytes(waiting)} wait in ${places.spool}; the next start stores them`);
      if (!ending.error) done(`stopped; ${plural(stored, 'connection')} seen`);
    }
    await connection?.close();
    await lock.release();
    ending.release();
  }
  if (ending.error) throw ending.error;
}

/** The first signal ends, the second forces; a part that gives up ends with its error. */
function createEnding() {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let force: () => void = () => {};
  let error: AppError | unknown;
  let wake: () => void = () => {};
  const ended = new Promise<never>((_resolve, reject) => {
    wake = () => reject(error ?? new Error('ended by a signal'));
  });
  ended.catch(() => {});
  const end = (signal: NodeJS.Signals): void => {
    // The terminal that goes away may say so twice; only a person means it the second time.
    if (controller.signal.aborted && signal === 'SIGINT') force();
    controller.abort();
    wake();
  };
  for (const signal of signals) process.on(signal, end);
  return {
    signal: controller.signal,
    get error() {
      return error;
    },
    fail(cause: unknown) {
      error ??= cause;
      controller.abort();
      wake();
    },
    onForce(action: () => void) {
      force = () => {
        action();
        process.exitCode = 130;
      };
    },
    /** `work`, given up at the first signal. */
    race: <T>(work: Promise<T>): Promise<T> => Promise.race([work, ended]),
    release() {
      for (const signal of signals) process.off(signal, end);
    },
  };
}

/** Waits for the consumer to have made the tables. */
async function tablesOf(feed: Feed, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await feed.start(0);
      return;
    } catch {
      await delay(TABLES_POLL_MS);
    }
  }
}

function secret(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (text !== '') return text;
  } catch (error) {
    throw cliError('CLI_FILE_UNREADABLE', [file, reasonOf(error)], { cause: error });
  }
  throw cliError('CLI_FILE_UNREADABLE', [file, 'it is empty']);
}
