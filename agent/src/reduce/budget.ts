/**
 * Bytes a host may spool in a day. What a day does not use is saved, up to one day's; the agent begins with that. The
 * less is left the more is folded and left out, step by step, and taken back as the budget fills again.
 */
import { EVENT_KINDS, type EventKind } from '@tcptrail/schemas/enums.ts';

/** What a step adds to those before it. */
export interface BudgetStep {
  /** Rule that its events are counted under. */
  readonly name: string;
  readonly folds?: 'loopback' | 'repeated';
  /** Kinds of event that are left out. */
  readonly leavesOut: readonly EventKind[];
  /** What is then not recorded, for people. */
  readonly cost: string;
}

/** `fold` of the configuration does what the first two do. */
const FOLDING_STEPS: readonly BudgetStep[] = [
  {
    name: 'budget-loopback',
    folds: 'loopback',
    leavesOut: [],
    cost: 'single rows of repeated short connections over loopback',
  },
  {
    name: 'budget-repeated',
    folds: 'repeated',
    leavesOut: [],
    cost: 'single rows of repeated short connections',
  },
];
const LEAVING_STEPS: readonly BudgetStep[] = [
  { name: 'budget-updates', leavesOut: ['update'], cost: 'updates of connections that go on' },
  {
    name: 'budget-retransmits',
    leavesOut: ['retransmit'],
    cost: 'single retransmissions; closes count them',
  },
  {
    name: 'budget-everything',
    leavesOut: EVENT_KINDS,
    cost: 'every event, until the budget has filled a little',
  },
];

const DAY_MS = 86_400_000;
/** Share of a day's budget that must have come back before a step is taken back. */
const BACK = 1 / 64;

export interface Budget {
  /** So many bytes went into the spool. */
  spend(bytes: number): void;
  /** Another budget, of which as much is left as of the one before. */
  configure(config: BudgetConfig): void;
  /** Steps in force, in the order they were taken. */
  readonly steps: readonly BudgetStep[];
  /** Below 0: what the last batches took too much, to be earned first. */
  readonly leftBytes: number;
}

export interface BudgetConfig {
  /** 0 = no limit. */
  readonly bytesPerDay: number;
  /** Repeated connections are folded anyway. */
  readonly fold: boolean;
}

export function createBudget(
  first: BudgetConfig,
  deps: { readonly nowMs: () => number; readonly onSteps: (steps: readonly BudgetStep[]) => void },
): Budget {
  let { bytesPerDay } = first;
  let all = stepsOf(first);
  let leftBytes = bytesPerDay;
  let atMs = deps.nowMs();
  let taken = 0;

  /** Share of a day's budget at which so many steps are taken: from a half down to nothing, in equal parts. */
  const shareOf = (steps: number): number => (0.5 * (all.length - steps)) / (all.length - 1);

  return {
    configure(next) {
      const share = bytesPerDay === 0 ? 1 : leftBytes / bytesPerDay;
      ({ bytesPerDay } = next);
      all = stepsOf(next);
      leftBytes = share * bytesPerDay;
      if (taken > 0) deps.onSteps([]);
      taken = 0;
    },
    spend(bytes) {
      if (bytesPerDay === 0) return;
      const nowMs = deps.nowMs();
      const earned = ((nowMs - atMs) / DAY_MS) * bytesPerDay;
      atMs = nowMs;
      leftBytes = Math.max(-bytesPerDay, Math.min(bytesPerDay, leftBytes + earned) - bytes);
      const share = leftBytes / bytesPerDay;
      const before = taken;
      while (taken < all.length && share <= shareOf(taken + 1)) taken += 1;
      while (taken > 0 && share > shareOf(taken) + BACK) taken -= 1;
      if (taken !== before) deps.onSteps(all.slice(0, taken));
    },
    get steps() {
      return all.slice(0, taken);
    },
    get leftBytes() {
      return leftBytes;
    },
  };
}

const stepsOf = ({ fold }: BudgetConfig): readonly BudgetStep[] => [
  ...(fold ? [] : FOLDING_STEPS),
  ...LEAVING_STEPS,
];
