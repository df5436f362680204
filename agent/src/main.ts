/**
 * The agent of one host: kernel → trace → decode → enrich → encode → spool → publish. The only file that knows every
 * stage.
 *
 *   node agent/src/main.ts [--config FILE] [--check | --print-config | --end]
 *
 * SIGTERM ends this run: the kernel goes on recording for the next one. SIGINT, or --end, ends the recording too.
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
import { createDrain, type Drain } from './drain.ts';
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
import { createLog, type Log } from './log.ts';
import { createMetrics, createMetricsServer } from './metrics.ts';
import { createNotices } from './notices.ts';
import { tellPrevious } from './previous-states.ts';
import type { Publisher } from './publish/publisher.ts';
import { resume } from './resume.ts';
import { createSpoolFolder } from './spool/folder.ts';
import { createAgentLocks } from './spool/lock.ts';
import { createSpool } from './spool/spool.ts';
import { possibleCpus } from './trace/cpus.ts';
import { createPacing } from './trace/pacing.ts';
import type { Recording } from './trace/recording.ts';
import { asCapability, surroundings } from './trace/surroundings.ts';

const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
const SCHEMA = readFileSync(new URL('../../schemas/avro/event-batch.v1.avsc', import.meta.url), 'utf8');

/** Reason of a stop that ends the recording too. */
const END = 'end';

export interface AgentDeps {
  /**
   * Ends the agent, which spools what the rings hold. Reason `end`: it detaches first, and leaves nothing behind; else
   * the kernel goes on recording.
   */
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
  const processes = createProcesses(config.process, { names: () => trace.recording.names });
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
      onWritten: () => publisher?.wake(),
    },
  );
  const trace = createTrace({ ...config, absentMs: config.restart.absentMs }, { nowUs: clock.nowUs });
  /** What batches are of. */
  let recording: Recording;
  let account = createAccount();
  const onBadRecords = (count = 1): void => {
    account.bad();
    notices.badRecords(count);
  };
  const builder = createBatchBuilder(
    { ...config.batch, cpus: possibleCpus() },
    {
      owners,
      clockOffsetUs: () => clock.offset_us,
      onRow: (cpu, seq) => account.row(cpu, seq),
      onBad: onBadRecords,
      resetReason: readResetReasons(),
    },
  );
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
    recording = trace.recording;
    let isOver = false;
    stops.push(() => trace.close({ forget: isOver ? 'instance' : 'nothing' }));
    const needs = surroundings({ notPinned: trace.notPinned });
    for (const need of needs) if (need.problem !== '') notices.lacking(need);
    if (config.metrics.port > 0) {
      await server.start().then(() => stops.push(server.stop), notices.metricsPortTaken);
    }

    const agentEpoch = spool.epochAfter(clock.nowUs());
    spool.open(agentEpoch);
    if (config.publish.enabled) {
      const { createKafkaPublisher } = await import('./publish/kafka.ts');
      const run = { spoolPath: config.spool.path, hostId: host.host_id, bootId: host.boot_id, agentEpoch };
      publisher = createKafkaPublisher({ ...config.publish, kafka: config.kafka, ...run }, notices);
      publisher.start();
    }
    const cpus = () => account.cpus(spool.dropped[recording.kernelEpoch] ?? {});
    let shipped = cpus();
    const batcher = createBatcher(
      {
        ...host,
        agent_version: VERSION,
        agent_epoch: agentEpoch,
        labels: Object.fromEntries(Object.entries(config.labels).filter(([, value]) => value !== '')),
      },
      {
        builder,
        nowUs: clock.nowUs,
        accounting() {
          shipped = cpus();
          return {
            kernel_epoch: recording.kernelEpoch,
            ring_positions: RINGS.map((ring) => ({ ring, position: recording.rings[ring].position })),
            cpus: shipped,
            failed_reserves: recording.failedReserves(),
            rules: [],
            programs: recording.skippedRuns(),
          };
        },
        namespaces: namespaces.counts,
        onBatch({ datum, rows, closedUs, accounting }) {
          metrics.add('batches');
          metrics.add('batch_bytes', datum.length);
          metrics.add('rows', rows);
          const { rings } = recording;
          spool.append(datum, closedUs, () => {
            for (const { ring, position } of accounting.ring_positions) rings[ring].release(position);
          });
        },
      },
    );
    const begin = (of: Recording): Drain => {
      recording = of;
      account = resume(of, { spool, notices });
      return createDrain({
        recording,
        account,
        builder,
        batcher,
        spool,
        onUnsettled: notices.accountUnsettled,
        onBadRecords,
      });
    };
    for (const state of trace.unreadable) notices.stateUnreadable(state);
    await tellPrevious(trace.previous, {
      begin: (of) => ({ drain: begin(of), cpus: () => shipped }),
      batcher,
      spool,
      forget: trace.forget,
      onLeft: notices.stateLeft,
    });
    const cycle = createCycle(config.batch, {
      trace,
      drain: begin(trace.recording),
      builder,
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
          clock,
          spoolHealth: spool.health,
          processCounters: processes.counters,
          kernelFailed: () => recording.failedReserves().reduce((sum, { count }) => sum + count, 0),
          kernelUntracked: recording.untracked,
          suppressedLines: log.suppressed,
          // What a full spool dropped may have told some of them.
          olderTold: olderTold && spool.dropped[recording.kernelEpoch] === undefined,
          metrics,
        });
      },
      nowMs,
    });
    const ended = createEndedEpochs({ batcher, spool });
    const isResumed = trace.isResumed;
    log.info(
      { instance: config.instance, spool: config.spool.path, resumed: isResumed, scan_ms: trace.scanMs },
      'agent runs',
    );
    while (!deps.stop.aborted) {
      const waitMs = cycle.turn();
      ended.tell(recording.kernelEpoch);
      await sleep(waitMs, undefined, { signal: deps.stop }).catch(() => {});
    }

    // Without pins nothing would go on.
    const isEnd = deps.stop.reason === END || trace.notPinned !== '';
    if (isEnd) trace.detach();
    let settled = false;
    // A batch that pushes another out of a full spool cannot count that in its own account: then one more.
    for (let dropped: unknown; dropped !== spool.dropped; ) {
      dropped = spool.dropped;
      ended.tell(recording.kernelEpoch);
      settled = cycle.finish();
    }
    spool.stop();
    await publisher?.stop(config.publish.stopWaitMsMax);
    isOver = isEnd && settled && spool.noteEnded(recording.kernelEpoch, shipped);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** What calls into libraries of the system, loaded late: a tree without native modules can still say so. */
async function loadNative() {
  try {
    const [{ createLibc }, { createTrace }] = await Promise.all([
      import('./libc.ts'),
      import('./trace/trace.ts'),
    ]);
    return { createLibc, createTrace };
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw agentError('AGENT_NATIVE_MISSING', [reason], { cause: error });
  }
}

interface Arguments {
  readonly file: string | undefined;
  readonly mode: 'run' | 'end' | 'check' | 'print';
}

/** Throws AGENT_USAGE. */
function argumentsOf(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...CONFIG_OPTIONS, end: { type: 'boolean', default: false } },
    });
    const other = values.check ? 'check' : values['print-config'] ? 'print' : undefined;
    return { file: values.config, mode: other ?? (values.end ? 'end' : 'run') };
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
  if (mode === 'check' || mode === 'print') return;
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => stop.abort(END));
  if (mode === 'end') stop.abort(END);
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
