/**
 * The agent of one host: kernel → trace → decode → enrich → encode → spool → publish. The only file that knows every
 * stage.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { NEWEST, schemaUrl } from '@tcptrail/schemas/versions.ts';
import { createAges } from '@tcptrail/spool/ages.ts';
import type { AgentConfig } from './config.ts';
import { createCycle } from './cycle.ts';
import type { Drain } from './drain.ts';
import { createBatchBuilder } from './encode/batch-builder.ts';
import { createBatcher } from './encode/batcher.ts';
import { END, type End, endRunAndSend } from './end.ts';
import { createEndedEpochs } from './ended-epochs.ts';
import { createClock } from './enrich/clock.ts';
import { readHost } from './enrich/host.ts';
import { createKeptOffset } from './enrich/kept-offset.ts';
import { createNamespaces } from './enrich/namespaces.ts';
import { createOwners } from './enrich/owners.ts';
import { createProcesses } from './enrich/process.ts';
import { readResetReasons } from './enrich/reset-reasons.ts';
import { createGuest } from './guest.ts';
import { measureHealth } from './health.ts';
import { leastPrivilege, refuseSpoolLinks } from './least-privilege.ts';
import { createLibc } from './libc.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, createMetricsServer } from './metrics.ts';
import { createNotices } from './notices.ts';
import { createPreviousStates } from './previous-states.ts';
import { createPrivateRecords } from './privacy/records.ts';
import { factsShown, masksOf } from './privacy.ts';
import type { Publisher } from './publish/publisher.ts';
import { createReduction } from './reduction.ts';
import { createReload, type ReloadDeps } from './reload.ts';
import { isLost } from './resume.ts';
import { createSpoolFolder } from './spool/folder.ts';
import { createAgentLocks } from './spool/lock.ts';
import { createSpool } from './spool/spool.ts';
import { createTakers, labelsOf } from './takers.ts';
import { createTelling } from './telling.ts';
import { possibleCpus } from './trace/cpus.ts';
import { createPacing } from './trace/pacing.ts';
import type { Recording } from './trace/recording.ts';
import { asCapability, surroundings } from './trace/surroundings.ts';
import { createTrace } from './trace/trace.ts';

const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
const SCHEMA = readFileSync(schemaUrl(NEWEST), 'utf8');

export interface AgentDeps {
  /**
   * Ends the agent, which spools what the rings hold. Reason `end`: it detaches first, and leaves nothing behind; else
   * the kernel goes on recording.
   */
  readonly stop: AbortSignal;
  readonly reload: Pick<ReloadDeps, 'source' | 'asked'>;
  readonly log?: Log;
}

/** Runs until `stop`. `again`: a new process is to go on. Rejects with an AppError whose `exitCode` is the process's. */
export async function runAgent(config: AgentConfig, deps: AgentDeps): Promise<'ended' | 'again'> {
  const log = deps.log ?? createLog();
  const metrics = createMetrics();
  const notices = createNotices(config, { log, metrics });
  const libc = createLibc();
  const nowMs = (): number => performance.now();

  const locks = createAgentLocks({ instance: config.instance, spoolPath: config.spool.path }, libc);
  const clock = createClock({ clocks: libc, onStep: notices.clockStepped });
  const masks = masksOf(config);
  const processes = createProcesses(factsShown(config, masks), { names: () => telling.recording.names });
  const namespaces = createNamespaces();
  const owners = createOwners(
    { agentPid: process.pid, supervisorPid: config.own.supervisorPid },
    { facts: processes.facts, clockOffsetUs: () => clock.offset_us, onOwner: namespaces.note },
  );
  let publisher: Publisher | undefined;
  const folder = createSpoolFolder(config.spool.path);
  const spool = createSpool(
    { ...config.spool, schema: SCHEMA },
    {
      folder,
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
  const trace = createTrace(
    { ...config, absentMs: config.restart.absentMs },
    { libc, nowUs: clock.nowUs, canGoOn: (recording) => !isLost(recording, spool) },
  );
  const guest = createGuest(config, {
    ...{ libc, notices, trace, nowMs },
    fold: (isOn) => reduction.fold(isOn),
    stop: deps.stop,
  });
  const telling = createTelling({
    ...{ spool, notices },
    onBadRecords: notices.badRecords,
    onUnsettled: notices.accountUnsettled,
  });
  const builder = createBatchBuilder(
    { ...config.batch, cpus: possibleCpus() },
    {
      owners,
      clockOffsetUs: () => clock.offset_us,
      onRow: telling.row,
      onBad: telling.bad,
      resetReason: readResetReasons(),
    },
  );
  const records = createPrivateRecords(masks);
  const reduction = createReduction(config, {
    ...{ owners, builder, records, notices, metrics, nowMs },
    account: telling,
    boottimeNs: libc.boottimeNs,
  });
  const server = createMetricsServer(config.metrics, {
    metrics,
    unhealthy: () => spool.failed,
    heldUp: () => notices.publishTrouble || notices.configTrouble,
  });
  const stops: (() => void | Promise<void>)[] = [];

  try {
    refuseSpoolLinks(config.spool.path);
    locks.take();
    stops.push(locks.release);
    // What an earlier run left is ended in any case.
    const isWelcome = deps.stop.reason === END || (await guest.enter());
    if (!isWelcome && deps.stop.reason !== END) return 'ended';
    const host = readHost({ ...config, hostIdFile: join(config.spool.path, 'host-id') });
    spool.start();
    clock.start(createKeptOffset({ file: join(config.spool.path, 'clock.json'), bootId: host.boot_id }));
    trace.start();
    reduction.start({ isResumed: trace.recording.isResumed || trace.previous.length > 0 });
    let forget: End['forget'] = 'nothing';
    stops.push(() => notices.pinsStay(trace.close({ forget })));
    const needs = [...surroundings({ notPinned: trace.notPinned })];
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
    const batcher = createBatcher(
      { ...host, agent_version: VERSION, agent_epoch: agentEpoch, labels: labelsOf(config.labels) },
      {
        builder: reduction.builder,
        nowUs: clock.nowUs,
        accounting: () => ({ ...telling.accounting(), rules: reduction.rules }),
        namespaces: namespaces.counts,
        onBatch({ datum, rows, closedUs, accounting }) {
          metrics.add('batches');
          metrics.add('batch_bytes', datum.length);
          metrics.add('rows', rows);
          spool.append(datum, closedUs, telling.release(accounting));
        },
      },
    );
    const begin = (of: Recording): Drain => telling.begin(of, { builder: reduction.builder, batcher });
    notices.statesUndrained(trace);
    const previous = createPreviousStates({
      ...{ trace, begin, batcher, spool },
      cpus: () => telling.shipped,
      onLeft: notices.statesLeft,
    });
    await previous.tell();
    const cycle = createCycle(config.batch, {
      trace,
      drain: begin(trace.recording),
      builder: reduction.builder,
      leavesOutOlder: reduction.leavesOutOlder,
      batcher,
      spool,
      clock,
      pacing: createPacing(),
      health({ olderTold, ringFill }) {
        // What the compiler's threads freed would stay with the process: tens of MB.
        libc.trim();
        telling.countSkipped();
        return measureHealth({
          programs: guest.capabilities(trace.capabilities),
          surroundings: needs.map(asCapability),
          reduced: reduction.capabilities(),
          clock,
          spoolHealth: spool.health,
          processCounters: processes.counters,
          kernelFailed: () => trace.recording.failedReserves().reduce((sum, { count }) => sum + count, 0),
          kernelUntracked: trace.recording.untracked,
          suppressedLines: log.suppressed,
          // What a full spool dropped may have told some of them.
          olderTold: olderTold && spool.dropped[trace.recording.kernelEpoch] === undefined,
          ringFill,
          metrics,
        });
      },
      nowMs,
    });
    const ended = createEndedEpochs({ batcher, spool });
    const takers = createTakers({
      ...{ batcher, builder, reduction, cycle, trace, processes },
      ...{ owners, records, publisher, guest, log },
    });
    const reload = createReload(config, { ...deps.reload, takers, notices });

    const privilege = leastPrivilege(config, { rights: libc.rights, spoolGid: folder.gid });
    needs.push(privilege.need);
    for (const need of needs) if (need.problem !== '') notices.lacking(need);
    const { instance } = config;
    const { recording, scanMs: scan_ms } = trace;
    log.info(
      { instance, spool: config.spool.path, resumed: recording.isResumed, scan_ms, user: privilege.user },
      'agent runs',
    );
    // The line above is what supervisors wait for.
    log.setLevel(config.log.level);
    while (!guest.stop.aborted) {
      reload.turn();
      const waitMs = cycle.turn();
      guest.turn();
      ended.tell(trace.recording.kernelEpoch);
      await previous.turn(nowMs());
      await sleep(waitMs, undefined, { signal: guest.stop }).catch(() => {});
    }

    // Without pins nothing would go on.
    const isEnd = guest.isDisabled || deps.stop.reason === END || trace.notPinned !== '';
    const send = () => publisher?.stop(guest.isDisabled ? 0 : reload.config.publish.stopWaitMsMax);
    const end = await endRunAndSend({ isEnd, send }, { trace, cycle, ended, previous, telling, spool });
    ({ forget } = end);
    if (end.left && guest.isDisabled) notices.endLeft(end.left);
    else if (end.left) throw end.left;
    guest.left();
  } catch (error) {
    if (error instanceof AppError) guest.left();
    throw error;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
  return guest.outcome();
}
