/** The consumer: spool or Kafka → decode → batch → store. The only file that knows every stage. */
import { parseArgs } from 'node:util';
import { CONFIG_OPTIONS } from '@tcptrail/config/arguments.ts';
import { checkReport } from '@tcptrail/config/check.ts';
import { type ConfigSource, configFileOf, loadConfig } from '@tcptrail/config/load.ts';
import { printConfig } from '@tcptrail/config/print.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Logger } from 'pino';
import { aborted } from './aborted.ts';
import { createBatcher } from './batch/batcher.ts';
import { createPace } from './batch/pace.ts';
import { CONSUMER_CONFIG, type ConsumerConfig } from './config.ts';
import type { Transport } from './consume/transport.ts';
import { createRangeDecoders } from './decode/range.ts';
import { endOnSignals } from './ending.ts';
import { tellOfHangUps } from './hang-up.ts';
import { closeDaysAlone, keepHeldAlone } from './keeping.ts';
import { createLog } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createMetricsServer } from './metrics-server.ts';
import { migrate } from './migrate/migrate.ts';
import { noRetention } from './migrate/retention.ts';
import { createBackoff } from './store/backoff.ts';
import type { ClickHouse } from './store/clickhouse.ts';
import { connectClickHouse } from './store/failover.ts';
import { type Guarantee, readGuarantee } from './store/guarantee.ts';
import { createStore } from './store/store.ts';
import { createTierKeeper } from './tiers/keeper.ts';

export interface ConsumerDeps {
  /** Ends the consumer in good order when aborted. */
  readonly signal?: AbortSignal;
  readonly log?: Logger;
  /** Store what is there, sum the days that are over, then end. */
  readonly isOnce?: boolean;
}

const ONCE_TRIES_MAX = 5;
/** A day of a large fleet is written in one statement. */
const TIER_WAIT_MS_MAX = 3_600_000;
/** Longer than a question takes from one table to the next when it is planned. */
const TIER_SETTLE_MS = 2_000;

/** Runs until `signal`, or until drained with `isOnce`. Rejects with an AppError that says what to mend. */
export async function runConsumer(config: ConsumerConfig, deps: ConsumerDeps = {}): Promise<void> {
  const metrics = createMetrics();
  const log = deps.log ?? createLog({ onSuppressed: () => metrics.suppressedLines.inc() });
  const isOnce = deps.isOnce ?? false;
  const signal = deps.signal ?? new AbortController().signal;
  const triesMax = isOnce ? ONCE_TRIES_MAX : Number.POSITIVE_INFINITY;
  let trouble: string | undefined = 'starting';

  const health = createMetricsServer(config.metrics, { metrics, trouble: () => trouble });
  const clickhouse = connectClickHouse(config.clickhouse);
  const store = createStore({ triesMax }, { clickhouse, createDecoder: createRangeDecoders(), log, metrics });
  const tierClickhouse = connectClickHouse({ ...config.clickhouse, requestWaitMsMax: TIER_WAIT_MS_MAX });
  const tiers = createTierKeeper(
    { everyMs: config.tiers.closeMs },
    {
      closeDays: () => closeDaysAlone(tierClickhouse, Date.now(), TIER_SETTLE_MS),
      keepHeld: () => keepHeldAlone(tierClickhouse),
      breakOff: () => tierClickhouse.close(),
      log,
      metrics,
    },
  );
  const transport = await createTransport(config, { isOnce, log, metrics, tell: (text) => (trouble = text) });

  try {
    if (!isOnce) log.info(`metrics on http://${config.metrics.host}:${await health.start()}/metrics`);
    const guarantee = await prepare(clickhouse, {
      config,
      log,
      triesMax,
      signal,
      tell: (text) => (trouble = text),
    });
    if (!guarantee) return;
    metrics.clickhouseUp.set(1);
    metrics.exactlyOnce.set(guarantee.isExactlyOnce ? 1 : 0);
    log[guarantee.isExactlyOnce ? 'info' : 'warn'](guarantee.text);
    // It joins its group first, and tells then.
    trouble = config.transport === 'kafka' ? 'not yet in the consumer group' : undefined;

    await transport.start(store.store);
    if (!isOnce) tiers.start();
    log.info(`reading ${sourceOf(config)} into ${clickhouse.url}, database ${clickhouse.database}`);
    await Promise.race([transport.done, aborted(signal)]).catch(async (error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'STORE_LEDGER' || isOnce) throw error;
      trouble = error.message;
      metrics.stopped.set(1);
      log.fatal({ code: error.code }, error.message);
      await aborted(signal);
    });
    if (isOnce && !signal.aborted) await Promise.race([tiers.once(), aborted(signal)]);
  } finally {
    const deadline = setTimeout(store.abort, config.stopWaitMsMax);
    store.stop();
    await transport.stop();
    clearTimeout(deadline);
    await tiers.stop();
    await clickhouse.close();
    await health.stop();
  }
}

/** What only the other transport needs is not loaded. */
async function createTransport(
  config: ConsumerConfig,
  deps: {
    readonly isOnce: boolean;
    readonly log: Logger;
    readonly metrics: Metrics;
    readonly tell: (trouble: string | undefined) => void;
  },
): Promise<Transport> {
  const { isOnce } = deps;
  const createFill = () => createBatcher(config.batch);
  if (config.transport === 'spool') {
    const { createSpoolTransport } = await import('./consume/spool.ts');
    return createSpoolTransport({ ...config.spool, isOnce }, { ...deps, fill: createFill() });
  }
  const { createKafkaTransport } = await import('./consume/kafka.ts');
  const { group, sessionMs, concurrency, ...kafka } = config.kafka;
  const { insertMsMin, bytesMax } = config.batch;
  const pace = createPace({ insertMsMin, fullBytes: bytesMax / 4 });
  return createKafkaTransport(
    { kafka, group, sessionMs, concurrency, isOnce },
    { ...deps, createFill, pace },
  );
}

function sourceOf({ transport, spool, kafka }: ConsumerConfig): string {
  return transport === 'spool' ? spool.path : `topic ${kafka.topic.events} at ${kafka.brokers.join(', ')}`;
}

/** Until ClickHouse answers and has the tables; undefined when stopped. Only a wrong configuration ends the waiting. */
async function prepare(
  clickhouse: ClickHouse,
  at: {
    config: ConsumerConfig;
    log: Logger;
    triesMax: number;
    signal: AbortSignal;
    tell: (trouble: string) => void;
  },
): Promise<Guarantee | undefined> {
  const backoff = createBackoff({ triesMax: at.triesMax, signal: at.signal });
  while (!at.signal.aborted) {
    try {
      await clickhouse.query('SELECT 1');
      if (at.config.migrate) {
        const { applied, withoutRetention } = await migrate(clickhouse, {
          cold: at.config.clickhouse.coldVolume,
        });
        if (applied.length > 0)
          at.log.info({ applied: applied.map(({ name }) => name) }, 'the database was migrated');
        if (withoutRetention.length > 0) at.log.info(noRetention(withoutRetention, clickhouse));
      }
      return await readGuarantee(clickhouse);
    } catch (error) {
      const isPassing =
        error instanceof AppError &&
        ['CLICKHOUSE_UNREACHABLE', 'CLICKHOUSE_UNWRITABLE', 'CLICKHOUSE_ANOTHER', 'CLICKHOUSE_BUSY'].includes(
          error.code,
        );
      if (!isPassing) throw error;
      at.tell(error.message);
      at.log.warn({ code: error.code }, `${error.message}; trying again`);
      await backoff.wait(error).catch((last: unknown) => {
        if (!at.signal.aborted) throw last;
      });
    }
  }
  return undefined;
}

const USAGE = `usage: consumer [--config FILE] [--once | --check | --print-config]

  --config FILE    configuration (default ${configFileOf('consumer')}); TCPTRAIL_* variables go over it
  --once           store what is there, sum the days that are over, then end: 0 when all is stored, else 1
  --check          say whether the configuration is right and ClickHouse answers, then end
  --print-config   print the configuration in force, as YAML without passwords, then end
`;

async function main(argv: readonly string[]): Promise<number> {
  const log = createLog();
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...CONFIG_OPTIONS,
        once: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    const source: ConfigSource = { part: 'consumer', file: values.config, env: process.env };
    const config = loadConfig(CONSUMER_CONFIG, source);
    if (values.check) {
      process.stdout.write(checkReport(CONSUMER_CONFIG, source));
      return await check(config);
    }
    if (values['print-config']) {
      process.stdout.write(printConfig(CONSUMER_CONFIG, config));
      return 0;
    }
    const signal = endOnSignals(config, log);
    tellOfHangUps(config, source, log);
    await runConsumer(config, { signal, isOnce: values.once ?? false });
    return 0;
  } catch (error) {
    if (error instanceof AppError) {
      process.stderr.write(`tcptrail consumer: ${error.message}\n`);
      return error.exitCode;
    }
    if ((error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')) {
      process.stderr.write(`${(error as Error).message}\n${USAGE}`);
      return 2;
    }
    log.fatal({ err: error }, 'the consumer failed');
    return 1;
  }
}

async function check(config: ConsumerConfig): Promise<number> {
  const clickhouse = connectClickHouse(config.clickhouse);
  try {
    const { text } = await readGuarantee(clickhouse);
    process.stdout.write(`${text}\n`);
    return 0;
  } finally {
    await clickhouse.close();
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
