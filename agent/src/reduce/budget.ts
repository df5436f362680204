/**
 * Bytes a host may spool in a day. What a day does not use is saved, up to one day's; a host begins with that. The less
 * is left the more is folded and left out, step by step, and taken back as the budget fills again.
 */
import { isDeepStrictEqual } from 'node:util';
import { EVENT_KINDS, type EventKind } from '@tcptrail/schemas/enums.ts';
import type { KeptBudget } from './kept-budget.ts';

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
/** About what one takes in the spool; measured with 2 CPUs. */
const HEARTBEAT_BYTES = 1_200;
/** Share of a day's budget that must have come back before a step is taken back. */
const BACK = 1 / 64;
/** Share of a day's budget after which it is kept again: at most that is forgiven by a restart. */
const KEEP = 1 / 512;

export interface Budget {
  /** Goes on where the run before this one left it. Before the first `spend`. */
  start(): void;
  /** So many bytes went into the spool. */
  spend(bytes: number): void;
  /** Another budget, of which as much is taken as of the one before; so turning it off and on again forgives nothing. */
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
  deps: {
    readonly nowMs: () => number;
    readonly kept: KeptBudget;
    readonly onSteps: (steps: readonly BudgetStep[]) => void;
  },
): Budget {
  let { bytesPerDay } = first;
  let all = stepsOf(first);
  let leftBytes = bytesPerDay;
  let takenBytes = 0;
  let atMs = deps.nowMs();
  let taken = 0;
  let unkeptBytes = 0;

  /** Share of a day's budget at which so many steps are taken: from a half down to nothing, in equal parts. */
  const shareOf = (steps: number): number => (0.5 * (all.length - steps)) / (all.length - 1);

  function earn(): void {
    if (bytesPerDay === 0) return;
    const nowMs = deps.nowMs();
    leftBytes = within(leftBytes + ((nowMs - atMs) / DAY_MS) * bytesPerDay);
    atMs = nowMs;
  }

  const within = (bytes: number): number => Math.max(-bytesPerDay, Math.min(bytesPerDay, bytes));

  /** Takes steps, or takes them back, by what is left. */
  function settle(): void {
    const share = bytesPerDay === 0 ? 1 : leftBytes / bytesPerDay;
    while (taken < all.length && share <= shareOf(taken + 1)) taken += 1;
    while (taken > 0 && share > shareOf(taken) + BACK) taken -= 1;
  }

  /** After a change: what is in force otherwise than `before` is told. */
  function settleFrom(before: readonly BudgetStep[]): void {
    settle();
    const after = all.slice(0, taken);
    if (!isDeepStrictEqual(after, before)) deps.onSteps(after);
  }

  return {
    start() {
      const { bytes, agoMs } = deps.kept.read();
      takenBytes = bytes;
      leftBytes = within(bytesPerDay - bytes);
      atMs = deps.nowMs() - agoMs;
      earn();
      settleFrom([]);
    },
    configure(next) {
      earn();
      const before = all.slice(0, taken);
      // While there is no budget what was taken is kept, and the time from when it is earned back.
      if (bytesPerDay > 0) takenBytes = bytesPerDay - leftBytes;
      ({ bytesPerDay } = next);
      leftBytes = within(bytesPerDay - takenBytes);
      earn();
      all = stepsOf(next);
      taken = all.findLastIndex((step) => before.includes(step)) + 1;
      settleFrom(before);
    },
    spend(bytes) {
      if (bytesPerDay === 0) return;
      earn();
      leftBytes = within(leftBytes - bytes);
      unkeptBytes += bytes;
      if (unkeptBytes >= bytesPerDay * KEEP) {
        deps.kept.write(bytesPerDay - leftBytes);
        unkeptBytes = 0;
      }
      settleFrom(all.slice(0, taken));
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

/** Bytes a day that heartbeats alone take, about. */
export const heartbeatBytesPerDay = (heartbeatMs: number): number =>
  Math.ceil(DAY_MS / heartbeatMs) * HEARTBEAT_BYTES;
