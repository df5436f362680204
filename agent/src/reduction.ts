/** What `reduce` does in the agent: the rules of the configuration, the byte budget, and what is told of them. */
import type { Health } from '@tcptrail/schemas/batch.ts';
import type { AgentConfig } from './config.ts';
import type { Account } from './encode/account.ts';
import type { BatchBuilder, BuiltEvents } from './encode/batch-builder.ts';
import type { Owners } from './enrich/owners.ts';
import type { Metrics } from './metrics.ts';
import type { Notices } from './notices.ts';
import { createBudget } from './reduce/budget.ts';
import { createFilter } from './reduce/filter.ts';
import { createReducer, type Reducer } from './reduce/reducer.ts';
import type { RuleCount } from './reduce/rule-counts.ts';

export interface ReductionDeps {
  readonly owners: Owners;
  readonly builder: BatchBuilder;
  readonly account: Account;
  readonly notices: Pick<Notices, 'budgetSteps'>;
  readonly metrics: Metrics;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  /** Now, ns since boot. */
  readonly boottimeNs: () => bigint;
}

export interface Reduction {
  /** To be used in place of the batch builder. */
  readonly builder: Reducer<BuiltEvents>;
  /** As a batch ships them. */
  readonly rules: readonly RuleCount[];
  /** So many bytes went into the spool. */
  spooled(bytes: number): void;
  /** Between two drains: the filters from now on. */
  setFilters(rules: AgentConfig['filters']): void;
  /** What the budget leaves out now, told like a program that does not run; sets the gauges by the way. */
  capabilities(): Health['capabilities'];
}

export function createReduction(
  config: Pick<AgentConfig, 'batch' | 'events' | 'fold' | 'filters' | 'budget'>,
  deps: ReductionDeps,
): Reduction {
  const { batch, events, fold } = config;
  const { metrics, notices } = deps;
  const builder = createReducer(
    {
      ...batch,
      fold: fold.enabled,
      windowMs: fold.windowMs,
      openHoldMs: events.openHoldMs,
      sinceNs: deps.boottimeNs(),
      filter: createFilter(config.filters),
    },
    deps,
  );
  const budget = createBudget(
    { ...config.budget, fold: fold.enabled },
    {
      nowMs: deps.nowMs,
      onSteps(steps) {
        builder.setSteps(steps);
        notices.budgetSteps(steps);
      },
    },
  );

  return {
    builder,
    get rules() {
      return builder.counts.list;
    },
    spooled: budget.spend,
    setFilters: (rules) => builder.setFilter(createFilter(rules)),
    capabilities() {
      const { folded, filtered } = builder.counts.totals;
      metrics.raise('folded_events', folded);
      metrics.raise('filtered_events', filtered);
      metrics.set('budget_steps', budget.steps.length);
      metrics.set('budget_left_bytes', Math.max(0, budget.leftBytes));
      const error = `the host's budget of ${config.budget.bytesPerDay} bytes a day is short`;
      return budget.steps.map(({ name, cost }) => ({ program: name, attached: false, error, cost }));
    },
  };
}
