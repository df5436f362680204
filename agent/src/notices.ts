/** What happens to the agent, each thing once: its metric and its log line. */
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { createSetAside } from '@tcptrail/spool/set-aside.ts';
import type { AgentConfig } from './config.ts';
import { agentError, reasonOf } from './errors.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { BudgetStep } from './reduce/budget.ts';
import type { Dropped } from './spool/retention.ts';
import type { PreviousStates } from './trace/previous.ts';
import type { Need } from './trace/surroundings.ts';

export interface Notices {
  /** Why batches wait in the spool; '' when they go out. */
  readonly publishTrouble: string;
  /** Why the configuration that was read last is not in force; '' when it is. */
  readonly configTrouble: string;
  configTaken(
    changes: { readonly taken: readonly string[]; readonly waiting: readonly string[] },
    sentence: string,
  ): void;
  configRefused(error: AppError): void;
  clockStepped(step: { readonly by_us: number }): void;
  spoolWriteFailed(failure: { readonly reason: string; readonly pending: number }): void;
  spoolDropped(dropped: Dropped): void;
  /** Steps of the byte budget now in force. */
  budgetSteps(steps: readonly BudgetStep[], bytesPerDay: number): void;
  /** Heartbeats alone take about `least` bytes a day. */
  budgetShort(bytesPerDay: number, least: number): void;
  accountUnsettled(): void;
  badRecords(count: number): void;
  accountLost(kernelEpoch: number): void;
  statesUndrained(states: Pick<PreviousStates, 'givenUp' | 'unopened'>): void;
  /** Kernel epochs of those that wait now. */
  statesLeft(kernelEpochs: readonly number[]): void;
  /** What a run that ends without it could not do. */
  endLeft(error: AppError): void;
  /** '': nothing stays. */
  pinsStay(reason: string): void;
  recordingGivenUp(): void;
  lacking(need: Need): void;
  metricsPortTaken(error: unknown): void;
  disabled(file: string): void;
  disabledUnknown(error: AppError): void;
  priorityRefused(refused: { readonly setting: string; readonly reason: string }): void;
  crashLoop(loop: { readonly count: number; readonly waitMs: number }): void;
  /** `steps`: given up now. */
  gaveUp(
    step: { readonly name: string; readonly cost: string; readonly reason: string },
    steps: number,
  ): void;
  tookBack(name: string, steps: number): void;
  heldUp(ms: number): void;
  topicMade(name: string): void;
  kafkaFileUnfit(error: AppError): void;
  published(sent: { readonly messages: number; readonly bytes: number; readonly again: boolean }): void;
  publishFailed(error: AppError): void;
  publishSplit(eventsMax: number): void;
  publishDamage(damage: {
    readonly segment: string;
    readonly from: number;
    readonly bytes: Uint8Array;
    readonly why: string;
  }): void;
  publishCursorDamaged(keptAs: string): void;
}

export function createNotices(
  config: Pick<AgentConfig, 'spool' | 'metrics' | 'kafka'>,
  deps: { readonly log: Log; readonly metrics: Metrics },
): Notices {
  const { log, metrics } = deps;
  const setAside = createSetAside(config.spool.path);
  const { brokers, topic } = config.kafka;
  /** Told once when it begins and once when it ends. */
  let isHeldUp = true;
  let publishTrouble = '';
  let configTrouble = '';
  /** `kind`: troubles of one code that are not repetitions of each other. */
  const limited = (level: 'warn' | 'error', error: AppError, fields: object = {}, kind = ''): void =>
    log.limited(level, error.code + kind, { code: error.code, ...fields }, error.message);

  return {
    get publishTrouble() {
      return publishTrouble;
    },
    get configTrouble() {
      return configTrouble;
    },
    configTaken({ taken, waiting }, sentence) {
      configTrouble = '';
      metrics.add('config_reloads');
      log.info({ taken, at_next_start: waiting }, sentence);
    },
    configRefused(error) {
      configTrouble = `${error.message}; until then the configuration before it stays in force`;
      metrics.add('config_refusals');
      log.warn({ code: error.code }, configTrouble);
    },
    clockStepped({ by_us }) {
      metrics.add('clock_steps');
      log.limited('warn', 'clock', { by_us }, 'the clock was set; events from now on carry the new time');
    },
    spoolWriteFailed({ reason, pending }) {
      metrics.add('spool_write_failures');
      limited('error', agentError('AGENT_SPOOL_WRITE', [config.spool.path, reason]), { pending });
    },
    spoolDropped({ reason, segment, rows }) {
      const count = Object.values(rows)
        .flatMap((cpus) => Object.values(cpus))
        .reduce((sum, ofCpu) => sum + ofCpu, 0);
      metrics.add('spool_dropped_events', count);
      const { path, bytesMax, ageMaxMs } = config.spool;
      const why =
        reason === 'bytes'
          ? agentError('AGENT_SPOOL_FULL', [String(bytesMax), path])
          : agentError('AGENT_SPOOL_AGED', [String(ageMaxMs), path]);
      limited('warn', why, { segment, rows: count });
    },
    budgetSteps(steps, bytesPerDay) {
      const taken = steps.map(({ name }) => name);
      const left = steps.map(({ cost }) => cost).join('; ');
      if (taken.length === 0) log.info({ steps: taken }, 'the byte budget leaves nothing out any more');
      else
        limited(
          'warn',
          agentError('AGENT_BUDGET', [String(bytesPerDay), left]),
          { steps: taken },
          taken.at(-1),
        );
    },
    budgetShort(bytesPerDay, least) {
      limited('warn', agentError('AGENT_BUDGET_SHORT', [String(bytesPerDay), String(least)]));
    },
    accountUnsettled() {
      metrics.add('unsettled_account_samples');
    },
    badRecords(count) {
      metrics.add('ring_bad_records', count);
      const text = 'a ring held records that are no events; they count as failed, report this as a defect';
      log.limited('error', 'bad records', { records: count }, text);
    },
    accountLost(kernelEpoch) {
      metrics.add('lost_accounts');
      const text =
        "no batch of an earlier run is in the spool, though it wrote some: its files were removed, or spool.path is another; what nobody stored of them is lost, and a new recording takes the place of that run's";
      log.warn({ kernel_epoch: kernelEpoch }, text);
    },
    statesUndrained({ givenUp, unopened }) {
      metrics.add('given_up_states', givenUp.length);
      for (const { kernelEpoch, reason } of givenUp) {
        const text = 'what an earlier run recorded cannot be told and is given up';
        log.warn({ kernel_epoch: kernelEpoch, reason }, text);
      }
      for (const { kernelEpoch, reason } of unopened) {
        const text = 'what an earlier run recorded cannot be opened now; the next start tries again';
        log.warn({ kernel_epoch: kernelEpoch, reason }, text);
      }
    },
    statesLeft(kernelEpochs) {
      metrics.set('left_states', kernelEpochs.length);
      if (kernelEpochs.length === 0) return;
      const text =
        'what earlier runs recorded is not told to its end; it stays in the kernel, and is tried again';
      log.limited('warn', 'states left', { kernel_epochs: kernelEpochs }, text);
    },
    endLeft(error) {
      log.warn({ code: error.code }, error.message);
    },
    pinsStay(reason) {
      if (reason !== '')
        log.warn({ reason }, 'what was to go from the kernel is still pinned; the next start removes it');
    },
    recordingGivenUp() {
      const text =
        'the agent did not run for longer than restart.absentMs, so the kernel records no more; it begins anew';
      log.warn({}, text);
    },
    lacking({ name, problem, cost, remedy }) {
      log.warn({ need: name }, `${problem}, which costs: ${cost}; ${remedy}`);
    },
    metricsPortTaken(error) {
      metrics.add('metrics_listen_failures');
      const address = `${config.metrics.host}:${config.metrics.port}`;
      limited('warn', agentError('AGENT_METRICS_PORT', [address, reasonOf(error)], { cause: error }));
    },
    disabled(file) {
      log.info({ file }, `${file} is there: the agent ends and leaves nothing in the kernel`);
    },
    disabledUnknown(error) {
      metrics.add('disabled_unknown_looks');
      limited('warn', error);
    },
    priorityRefused({ setting, reason }) {
      limited('warn', agentError('AGENT_PRIORITY', [setting, reason]), { setting }, setting);
    },
    crashLoop({ count, waitMs }) {
      metrics.set('crashed_runs', count);
      const error = agentError('AGENT_CRASHED', [String(count), String(waitMs / 1_000)]);
      log.warn({ code: error.code, crashes: count, wait_ms: waitMs }, error.message);
    },
    gaveUp({ name, cost, reason }, steps) {
      metrics.set('given_up_steps', steps);
      const error = agentError('AGENT_CEILING', [reason, cost]);
      log.warn({ code: error.code, step: name }, error.message);
    },
    tookBack(name, steps) {
      metrics.set('given_up_steps', steps);
      log.info({ step: name }, `the agent is well below its ceilings and takes back: ${name}`);
    },
    heldUp(ms) {
      metrics.add('stalls');
      const seconds = (ms / 1_000).toFixed(1);
      limited('warn', agentError('AGENT_HELD_UP', [seconds]), { ms: Math.round(ms) });
    },
    topicMade(name) {
      log.info({ topic: name }, `made topic ${name}`);
    },
    kafkaFileUnfit(error) {
      metrics.add('kafka_unfit_files');
      const text = `${error.message}; the former is used until then`;
      log.limited('warn', text, { code: error.code }, text);
    },
    published({ messages, bytes, again }) {
      metrics.set('publish_up', 1);
      if (isHeldUp) log.info({ topic: topic.events }, `publishing to ${brokers.join(', ')}`);
      isHeldUp = false;
      publishTrouble = '';
      metrics.add('publish_messages', messages);
      metrics.add('publish_bytes', bytes);
      if (again) metrics.add('publish_repeated_messages', messages);
    },
    publishFailed(error) {
      isHeldUp = true;
      publishTrouble = error.message;
      metrics.set('publish_up', 0);
      metrics.add('publish_failures');
      // Each sentence by itself: of two troubles with one code the second is not a repetition.
      const text = `${error.message}; batches wait in the spool`;
      log.limited('warn', text, { code: error.code }, text);
    },
    publishSplit(eventsMax) {
      metrics.add('publish_split_batches');
      const fields = { topic: topic.events, events_max: eventsMax };
      const text = `topic ${topic.events} takes no batch of this size, so it goes in parts of at most ${eventsMax} events; raise its max.message.bytes or lower batch.rowsMax`;
      log.limited('warn', 'publish split', fields, text);
    },
    publishDamage({ segment, from, bytes, why }) {
      const name = `${segment.replace(/\.avro$/, '')}-${from}.damaged`;
      const file = setAside.put(name, bytes, { segment, from, to: from + bytes.length, why });
      metrics.add('publish_damaged_bytes', bytes.length);
      log.warn(
        { segment, from, file },
        `${segment}: ${why}; ${bytes.length} bytes are set aside as ${file} and not published`,
      );
    },
    publishCursorDamaged(keptAs) {
      log.warn(
        { file: keptAs },
        `the cursor of publishing was damaged and is kept as ${keptAs}; what is spooled goes out again, marked, so that it is stored once`,
      );
    },
  };
}
