/** `tcptrail up`: all of embedded mode under one supervisor, until Ctrl-C. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { agentError } from '@tcptrail/agent/errors.ts';
import { withAdmin } from '@tcptrail/kafka/admin.ts';
import { type Connection, createConnection } from './clickhouse/connection.ts';
import { cliError, reasonOf } from './errors.ts';
import { disabledBy } from './supervise/disabled.ts';
import { createEnding } from './supervise/ending.ts';
import { leftOvers } from './supervise/left-overs.ts';
import { prepareLocalKafka } from './supervise/local-kafka.ts';
import { placesOf } from './supervise/places.ts';
import { assertPortFree } from './supervise/port.ts';
import { prepare } from './supervise/prepare.ts';
import { type RunLock, takeRunLock } from './supervise/run-file.ts';
import { createStack, type Stack, type StackConfig } from './supervise/stack.ts';
import { createTakeOver, type TakeOver } from './supervise/take-over.ts';
import { createFeed, type Feed } from './tail/feed.ts';
import { filterOf } from './tail/filter.ts';
import { createPrinter } from './tail/printer.ts';
import { plural } from './terminal/human.ts';
import { styleFor } from './terminal/style.ts';

export interface UpOptions {
  readonly home?: string;
  readonly instance: string;
  readonly host: string;
  readonly port: number;
  readonly kafka?: boolean;
  readonly kafkaPort: number;
  /** Instead of a local Kafka; implies `kafka`. */
  readonly brokers?: readonly string[];
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
  const disabledFile = disabledBy(places, process.env);
  if (disabledFile !== undefined) throw agentError('AGENT_DISABLED', [disabledFile]);
  const password = secret(options.passwordFile);
  const readerPassword = secret(options.readerPasswordFile);
  const style = styleFor(process.stderr);
  const tell = (mark: string, text: string): void => void process.stderr.write(`${mark} ${text}\n`);
  const done = (text: string): void => tell(style('green', '✔'), text);
  const warn = (text: string): void => tell(style('yellow', '!'), text);

  const kafka = kafkaOf(options);
  let stack: Stack | undefined;
  const ending = createEnding({ onReload: () => stack?.reload() });
  const lock = await takeRunLock(places);
  let takeOver: TakeOver | undefined;
  let connection: Connection | undefined;
  let stored = 0;
  try {
    await leftOvers(places, (text) => warn(text));
    await assertPortsFree(options, kafka);
    const kafkaJars = kafka && 'port' in kafka ? await prepareLocalKafka(warn) : undefined;
    const { account, notes } = prepare(places, { userName: options.user, kafkaJars });
    for (const note of notes) warn(note);
    const running = createStack(
      { ...options, kafka, places, account, password, readerPassword },
      {
        say: (text, bad) => (bad ? warn(text) : done(text)),
        onGivenUp: (error) => ending.fail(error),
        onProcess: () => stack && lock.write(stateOf(stack, options)),
      },
    );
    takeOver = createTakeOver(places, { stack: running, say: warn });
    takeOver.begin();
    stack = running;
    ending.onForce(() => running.kill());

    const version = await ending.race(running.startClickHouse());
    lock.write(stateOf(running, options));
    done(`ClickHouse ${version} at ${running.url}, as ${account.name}`);
    if (kafka) {
      done(await ending.race(startKafka(running, { kafka, user: account.name })));
      lock.write(stateOf(running, options));
    }
    await ending.race(takeOver.beforeAgent());
    const agentUser = await ending.race(running.startAgent());
    done(`agent records the connections of this machine${kafka ? ' into Kafka' : ''}, as ${agentUser}`);
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
      `\n  ${style('bold', 'Ask')}   ${command} query${elsewhere}${secured} "SELECT comm, sum(connections) FROM connections GROUP BY comm"\n` +
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
      const left = await stack.stop();
      for (const text of (await takeOver?.end(left)) ?? []) warn(text);
      if (!ending.error) done(`stopped; ${plural(stored, 'connection')} seen`);
    }
    await connection?.close();
    await lock.release();
    ending.release();
  }
  if (ending.error) throw ending.error;
}

function kafkaOf({ kafka, kafkaPort, brokers }: UpOptions): StackConfig['kafka'] {
  if (brokers) return { brokers };
  return kafka ? { port: kafkaPort } : undefined;
}

async function assertPortsFree(options: UpOptions, kafka: StackConfig['kafka']): Promise<void> {
  const { host, port, kafkaPort } = options;
  if (port !== 0) await assertPortFree({ host, port, option: '--port' });
  if (kafka && 'port' in kafka && kafkaPort !== 0)
    await assertPortFree({ host: '127.0.0.1', port: kafkaPort, option: '--kafka-port' });
}

/** A local one is started, others must answer. Gives what is to be said of it. Throws CLI_PART_FAILED, KAFKA_*. */
async function startKafka(
  stack: Stack,
  { kafka, user }: { readonly kafka: NonNullable<StackConfig['kafka']>; readonly user: string },
): Promise<string> {
  if ('port' in kafka) {
    const version = await stack.startKafka();
    const { brokers } = stack.consumerConfig().kafka;
    return `Kafka ${version} at ${brokers.join(', ')}, as ${user}`;
  }
  const { brokers } = await withAdmin(stack.consumerConfig().kafka, (admin) => admin.describeCluster());
  return `Kafka at ${kafka.brokers.join(', ')}: ${plural(brokers.length, 'broker')}, not started here`;
}

const stateOf = ({ url, route, parts }: Stack, options: UpOptions): Parameters<RunLock['write']>[0] => ({
  url,
  route,
  parts,
  metrics: { agent: options.agentMetricsPort, consumer: options.consumerMetricsPort },
});

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
