/**
 * The agent of one host: kernel → trace → decode → enrich → encode → spool → publish. The only file that knows every
 * stage.
 *
 *   node agent/src/main.ts [--config FILE] [--check | --print-config]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CONFIG_OPTIONS } from '@tcptrail/config/arguments.ts';
import { checkReport } from '@tcptrail/config/check.ts';
import { type ConfigSource, loadConfig } from '@tcptrail/config/load.ts';
import { printConfig } from '@tcptrail/config/print.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { RINGS } from '@tcptrail/schemas/enums.ts';
import { createAges } from '@tcptrail/spool/ages.ts';
import { AGENT_CONFIG, type AgentConfig } from './config.ts';
import { createCycle } from './cycle.ts';
import { createAccount } from './encode/account.ts';
import { createBatchBuilder } from './encode/batch-builder.ts';
import { createBatcher } from './encode/batcher.ts';
import { createEndedEpochs } from './ended-epochs.ts';
import { createClock } from './enrich/clock.ts';
import { readHost } from './enrich/host.ts';
import { createKeptOffset } from './enrich/kept-offset.ts';
import { createNamespaces } from './enrich/namespaces.ts';
import { createOwners } from './enrich/owners.ts';
import { createProcesses } from './enrich/process.ts';
import { readResetReasons } from './enrich/reset-reasons.ts';
import { agentError } from './errors.ts';
import { measureHealth } from './health.ts';
import { loadNative } from './load-native.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, createMetricsServer } from './metrics.ts';
import { createNotices, type Notices } from './notices.ts';
import type { Publisher } from './publish/publisher.ts';
import { createReduction } from './reduction.ts';
import { createSpoolFolder } from './spool/folder.ts';
import { createAgentLocks } from './spool/lock.ts';
import { createSpool } from './spool/spool.ts';
import { possibleCpus } from './trace/cpus.ts';
import { createPacing } from './trace/pacing.ts';
import { asCapability, surroundings } from './trace/surroundings.ts';

const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
const SCHEMA = readFileSync(new URL('../../schemas/avro/event-batch.v1.avsc', import.meta.url), 'utf8');

export interface AgentDeps {
  /** Ends the agent: it detaches, drains the rings and spools what they held. */
  readonly stop: AbortSignal;
  readonly log?: Log;
}

/** Runs until `stop`. Rejects with an AppError whose `exitCode` is the process's. */
export async function runAgent(config: AgentConfig, deps: AgentDeps): Promise<void> {
  const log = deps.log ?? createLog();
  const metrics = createMetrics();
  const notices = createNotices(config, { log, metrics });
  const { createLibc, createTrace } = await loadNative();
  const libc = createLibc();
  const nowMs = (): number => performance.now();

  const locks = createAgentLocks({ instance: config.instance, spoolPath: config.spool.path }, libc);
  const clock = createClock({ clocks: libc, onStep: notices.clockStepped });
  const processes = createProcesses(config.process, { names: () => trace.names });
  const namespaces = createNamespaces();
  const owners = createOwners(
    { agentPid: process.pid, supervisorPid: config.own.supervisorPid },
    { facts: processes.facts, clockOffsetUs: () => clock.offset_us, onOwner: namespaces.note },
  );
  let publisher: Publisher | undefined;
  const spool = createSpool(
    { ...config.spool, schema: SCHEMA },
    {
      folder: createSpoolFolder(config.spool.path),
      nowMs,
      ages: createAges(config.spool.path),
      onWriteFailed: notices.spoolWriteFailed,
      onDropped: notices.spoolDropped,
      onWritten(bytes) {
        reduction.spooled(bytes);
        publisher?.wake();
      },
    },
  );
  const trace = createTrace(config, { nowUs: clock.nowUs });
  const account = createAccount();
  const onBadRecords = (count = 1): void => {
    account.bad();
    notices.badRecords(count);
  };
  const builder = createBatchBuilder(
    { ...config.batch, cpus: possibleCpus() },
    {
      owners,
      clockOffsetUs: () => clock.offset_us,
      onRow: account.row,
      onBad: onBadRecords,
      resetReason: readResetReasons(),
    },
  );
  const reduction = createReduction(config, {
    ...{ owners, builder, account, notices, metrics, nowMs },
    boottimeNs: libc.boottimeNs,
  });
  const server = createMetricsServer(config.metrics, {
    metrics,
    unhealthy: () => spool.failed,
    heldUp: () => notices.publishTrouble,
  });
  const stops: (() => void | Promise<void>)[] = [];

  try {
    locks.take();
    stops.push(locks.release);
    const host = readHost({ ...config, hostIdFile: join(config.spool.path, 'host-id') });
    spool.start();
    clock.start(createKeptOffset({ file: join(config.spool.path, 'clock.json'), bootId: host.boot_id }));
    trace.start();
    let told = false;
    stops.push(() => trace.close({ forgetAccounts: told }));
    const needs = surroundings({ notPinned: trace.notPinned });
    for (const need of needs) if (need.problem !== '') notices.lacking(need);
    if (config.metrics.port > 0) {
      await server.start().then(() => stops.push(server.stop), notices.metricsPortTaken);
    }

    const agentEpoch = spool.epochAfter(clock.nowUs());
    spool.open(agentEpoch);
    if (config.publish.enabled) {
      publisher = await createKafkaPublisher(config, { ...host, agentEpoch, notices });
      publisher.start();
    }
    const cpus = () => account.cpus(spool.dropped[trace.kernelEpoch] ?? {});
    let shipped = cpus();
    const batcher = createBatcher(
      {
        ...host,
        agent_version: VERSION,
        agent_epoch: agentEpoch,
        labels: Object.fromEntries(Object.entries(config.labels).filter(([, value]) => value !== '')),
      },
      {
        builder: reduction.builder,
        nowUs: clock.nowUs,
        accounting() {
          shipped = cpus();
          return {
            kernel_epoch: trace.kernelEpoch,
            ring_positions: RINGS.map((ring) => ({ ring, position: trace.rings[ring].position })),
            cpus: shipped,
            failed_reserves: trace.failedReserves(),
            rules: reduction.rules,
            programs: trace.skippedRuns(),
          };
        },
        namespaces: namespaces.counts,
        onBatch({ datum, rows, closedUs }) {
          metrics.add('batches');
          metrics.add('batch_bytes', datum.length);
          metrics.add('rows', rows);
          spool.append(datum, closedUs);
        },
      },
    );
    const cycle = createCycle(config.batch, {
      trace,
      account,
      builder: reduction.builder,
      batcher,
      spool,
      clock,
      pacing: createPacing(),
      health({ olderTold }) {
        // What the compiler's threads freed would stay with the process: tens of MB.
        libc.trim();
        return measureHealth({
          programs: trace.capabilities,
          surroundings: needs.map(asCapability),
          reduced: reduction.capabilities(),
          clock,
          spoolHealth: spool.health,
          processCounters: processes.counters,
          kernelFailed: () => trace.failedReserves().reduce((sum, { count }) => sum + count, 0),
          kernelUntracked: trace.untracked,
          suppressedLines: log.suppressed,
          // What a full spool dropped may have told some of them.
          olderTold: olderTold && spool.dropped[trace.kernelEpoch] === undefined,
          metrics,
        });
      },
      onUnsettled: notices.accountUnsettled,
      onBadRecords,
      nowMs,
    });
    const ended = createEndedEpochs({ batcher, spool, notices });

    for (const { kernelEpoch, accounts, reason } of trace.stale()) {
      if (!accounts) notices.accountUnreadable({ kernelEpoch, reason });
      else if (ended.close({ kernelEpoch, cpus: accounts })) trace.unpin(kernelEpoch);
    }
    log.info({ instance: config.instance, spool: config.spool.path, scan_ms: trace.scanMs }, 'agent runs');
    while (!deps.stop.aborted) {
      const waitMs = cycle.turn();
      ended.tell(trace.kernelEpoch);
      await sleep(waitMs, undefined, { signal: deps.stop }).catch(() => {});
    }

    trace.stop();
    let settled = false;
    // A batch that pushes another out of a full spool cannot count that in its own account: then one more.
    for (let dropped: unknown; dropped !== spool.dropped; ) {
      dropped = spool.dropped;
      ended.tell(trace.kernelEpoch);
      settled = cycle.finish();
    }
    spool.stop();
    await publisher?.stop(config.publish.stopWaitMsMax);
    told = settled && spool.noteEnded(trace.kernelEpoch, shipped);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** Loaded late: most agents of a single machine never publish. Throws KAFKA_FILE. */
async function createKafkaPublisher(
  config: AgentConfig,
  run: {
    readonly host_id: string;
    readonly boot_id: string;
    readonly agentEpoch: number;
    readonly notices: Notices;
  },
): Promise<Publisher> {
  const [{ createPublisher }, { openSession }, { createKafka }] = await Promise.all([
    import('./publish/publisher.ts'),
    import('./publish/session.ts'),
    import('@tcptrail/kafka/client.ts'),
  ]);
  const { kafka, spool } = config;
  const client = createKafka(kafka);
  const { host_id: hostId, boot_id: bootId, agentEpoch, notices } = run;
  return createPublisher(
    { spoolPath: spool.path, hostId, bootId, agentEpoch },
    {
      openSession: () => openSession({ kafka, hostId }, { client, onTopicMade: notices.topicMade }),
      notices,
    },
  );
}

interface Arguments {
  readonly file: string | undefined;
  readonly mode: 'run' | 'check' | 'print';
}

/** Throws AGENT_USAGE. */
function argumentsOf(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: CONFIG_OPTIONS,
    });
    return { file: values.config, mode: values.check ? 'check' : values['print-config'] ? 'print' : 'run' };
  } catch (error) {
    const problem = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    throw agentError('AGENT_USAGE', [problem], { cause: error });
  }
}

async function main(): Promise<void> {
  const { file, mode } = argumentsOf(process.argv.slice(2));
  const source: ConfigSource = { part: 'agent', file, env: process.env };
  const config = loadConfig(AGENT_CONFIG, source);
  if (mode === 'check') process.stdout.write(checkReport(AGENT_CONFIG, source));
  if (mode === 'print') process.stdout.write(printConfig(AGENT_CONFIG, config));
  if (mode !== 'run') return;
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  await runAgent(config, { stop: stop.signal });
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`tcptrail agent: ${error.message}\n`);
    process.exitCode = error.exitCode;
  });
  // A broker that does not answer must not hold up the end.
  process.exit();
}
