/** What `reduce` does in the agent: the rules of the configuration, the byte budget, and what is told of them. */
import { isDeepStrictEqual } from 'node:util';
import type { Health } from '@tcptrail/schemas/batch.ts';
import type { AgentConfig } from './config.ts';
import type { Account } from './encode/account.ts';
import type { BatchBuilder, BuiltEvents } from './encode/batch-builder.ts';
import type { Owners } from './enrich/owners.ts';
import type { Metrics } from './metrics.ts';
import type { Notices } from './notices.ts';
import type { PrivateRecords } from './privacy/records.ts';
import { type BudgetConfig, type BudgetStep, createBudget, heartbeatBytesPerDay } from './reduce/budget.ts';
import { createFilter } from './reduce/filter.ts';
import { createKeptBudget } from './reduce/kept-budget.ts';
import { createReducer, type Reducer, type ReducerConfig } from './reduce/reducer.ts';
import type { RuleCount } from './reduce/rule-counts.ts';

export interface ReductionDeps {
  readonly owners: Owners;
  readonly builder: BatchBuilder;
  readonly records: PrivateRecords;
  readonly account: Pick<Account, 'row' | 'fold' | 'filter'>;
  readonly notices: Pick<Notices, 'budgetSteps' | 'budgetShort'>;
  readonly metrics: Metrics;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  /** Now, ns since boot. */
  readonly boottimeNs: () => bigint;
}

type ReductionConfig = Pick<AgentConfig, 'batch' | 'events' | 'fold' | 'filters' | 'budget' | 'spool'>;

export interface Reduction {
  /** To be used in place of the batch builder. */
  readonly builder: Reducer<BuiltEvents>;
  /** As a batch ships them. */
  readonly rules: readonly RuleCount[];
  /**
   * Before the first record: the budget goes on. `isResumed`: what lives may have been told by an earlier run, which had
   * other filters maybe.
   */
  start(options: { readonly isResumed: boolean }): void;
  /** Repeated connections are folded, whatever configuration and budget say. */
  fold(isOn: boolean): void;
  /** So many bytes went into the spool. */
  spooled(bytes: number): void;
  /** Between two batches: what is left out and folded from now on. */
  configure(config: ReductionConfig): void;
  /** The budget leaves out what tells of connections and listeners that go on. */
  leavesOutOlder(): boolean;
  /** What the budget leaves out now, told like a program that does not run; sets the gauges by the way. */
  capabilities(): Health['capabilities'];
}

/** What the agent's own ceilings make it fold is counted under this. */
const CEILING_STEP: BudgetStep = {
  name: 'ceiling-fold',
  folds: 'repeated',
  leavesOut: [],
  cost: 'single rows of repeated short connections',
};

const KINDS_OF_OLDER = ['open', 'update', 'listener'] as const;

export function createReduction(config: ReductionConfig, deps: ReductionDeps): Reduction {
  const { metrics, notices } = deps;
  let { bytesPerDay } = config.budget;
  let { filters: inForce } = config;
  let { openHoldMs } = config.events;
  let sinceNs = deps.boottimeNs();
  const reducerOf = ({ batch, fold, events }: ReductionConfig): ReducerConfig => ({
    ...batch,
    fold: fold.enabled,
    windowMs: fold.windowMs,
    openHoldMs: events.openHoldMs,
    sinceNs,
  });
  const budgetOf = ({ budget, fold }: ReductionConfig): BudgetConfig => ({ ...budget, fold: fold.enabled });
  const builder = createReducer(reducerOf(config), deps);
  builder.setFilter(createFilter(inForce), 0n);
  let ofBudget: readonly BudgetStep[] = [];
  let isHeld = false;
  const setSteps = (): void => builder.setSteps(isHeld ? [...ofBudget, CEILING_STEP] : ofBudget);
  const budget = createBudget(budgetOf(config), {
    nowMs: deps.nowMs,
    kept: createKeptBudget(config.spool.path),
    onSteps(steps) {
      ofBudget = steps;
      setSteps();
      notices.budgetSteps(steps, bytesPerDay);
    },
  });

  function warnOfHeartbeats({ heartbeatMs }: ReductionConfig['batch']): void {
    const least = heartbeatBytesPerDay(heartbeatMs);
    if (bytesPerDay > 0 && bytesPerDay < least) notices.budgetShort(bytesPerDay, least);
  }
  warnOfHeartbeats(config.batch);

  return {
    builder,
    get rules() {
      return builder.counts.list;
    },
    start({ isResumed }) {
      if (isResumed) builder.setFilter(createFilter(inForce), deps.boottimeNs());
      budget.start();
    },
    fold(isOn) {
      isHeld = isOn;
      setSteps();
    },
    spooled: budget.spend,
    configure(next) {
      // What lives may have been told at the age that was in force: it has an open, and its end is a row.
      if (next.events.openHoldMs !== openHoldMs) sinceNs = deps.boottimeNs();
      ({ openHoldMs } = next.events);
      ({ bytesPerDay } = next.budget);
      warnOfHeartbeats(next.batch);
      builder.configure(reducerOf(next));
      if (!isDeepStrictEqual(next.filters, inForce))
        builder.setFilter(createFilter(next.filters), deps.boottimeNs());
      inForce = next.filters;
      budget.configure(budgetOf(next));
    },
    leavesOutOlder: () =>
      ofBudget.some(({ leavesOut }) => KINDS_OF_OLDER.some((kind) => leavesOut.includes(kind))),
    capabilities() {
      const { folded, filtered } = builder.counts.totals;
      metrics.raise('folded_events', folded);
      metrics.raise('filtered_events', filtered);
      metrics.set('budget_steps', budget.steps.length);
      metrics.set('budget_left_bytes', Math.max(0, budget.leftBytes));
      const error = `the host's budget of ${bytesPerDay} bytes a day is short`;
      return budget.steps.map(({ name, cost }) => ({ program: name, attached: false, error, cost }));
    },
  };
}
