import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_KINDS } from '@tcptrail/schemas/enums.ts';
import { createRandom } from '../../../test/random.ts';
import { type BudgetStep, createBudget } from '../../src/reduce/budget.ts';
import { SINCE_NS } from '../support/closes.ts';
import { createReducedBatches } from '../support/reduced-batches.ts';

const DAY_MS = 86_400_000;

function budgetOf(config: { bytesPerDay: number; fold?: boolean }, kept = { bytes: 0, agoMs: 0 }) {
  const state = { nowMs: 0 };
  const told: string[][] = [];
  const budget = createBudget(
    { fold: false, ...config },
    {
      nowMs: () => state.nowMs,
      kept: { read: () => kept, write: (bytes) => Object.assign(kept, { bytes, agoMs: 0 }) },
      onSteps: (steps) => told.push(steps.map(({ name }) => name)),
    },
  );
  return { budget, state, told, kept, names: () => budget.steps.map(({ name }) => name) };
}

const ALL = [
  'budget-loopback',
  'budget-repeated',
  'budget-updates',
  'budget-retransmits',
  'budget-everything',
];

test('without a budget nothing is ever left out', () => {
  const { budget, told } = budgetOf({ bytesPerDay: 0 });
  budget.spend(1e12);
  assert.deepEqual([budget.steps, told, budget.leftBytes], [[], [], 0]);
});

test('the less is left the more steps are taken, each told once, loopback first', () => {
  const { budget, told } = budgetOf({ bytesPerDay: 1_000 });
  for (let spent = 0; spent < 1_000; spent += 10) budget.spend(10);
  assert.deepEqual(
    told,
    ALL.map((_, index) => ALL.slice(0, index + 1)),
  );
  assert.equal(budget.leftBytes, 0);
});

test('what folding is configured for is no step', () => {
  const { budget, names } = budgetOf({ bytesPerDay: 1_000, fold: true });
  budget.spend(500);
  assert.deepEqual(names(), ['budget-updates']);
  budget.spend(500);
  assert.deepEqual(names(), ALL.slice(2));
});

test('steps are taken back one by one as the day fills the budget again, never beyond one day', () => {
  const { budget, state, told, names } = budgetOf({ bytesPerDay: 1_000 });
  budget.spend(5_000);
  assert.deepEqual(names(), ALL);
  const lengths = [];
  for (; state.nowMs < 3 * DAY_MS; state.nowMs += DAY_MS / 100) {
    budget.spend(0);
    lengths.push(names().length);
  }
  assert.deepEqual([...new Set(lengths)], [5, 4, 3, 2, 1, 0]);
  assert.equal(budget.leftBytes, 1_000);
  assert.deepEqual(told.at(-1), []);
});

test('a step does not come and go with every batch', () => {
  const { budget, state, told } = budgetOf({ bytesPerDay: 1_000_000 });
  budget.spend(500_000);
  const before = told.length;
  for (let second = 0; second < 1_000; second++) {
    state.nowMs += 1_000;
    budget.spend(second % 2 === 0 ? 0 : 23);
  }
  assert.equal(told.length, before);
});

test('over any days a host spools no more than its budget and the day it had saved', () => {
  const random = createRandom(3);
  const { budget, state } = budgetOf({ bytesPerDay: 1_000_000 });
  let spooled = 0;
  for (; state.nowMs < 10 * DAY_MS; state.nowMs += 10_000) {
    // Thirty times what is allowed, while anything but heartbeats goes.
    const bytes = budget.steps.length === ALL.length ? 1 : random.below(7_000);
    spooled += bytes;
    budget.spend(bytes);
  }
  assert.ok(spooled <= 11_000_000 + 7_000, String(spooled));
  assert.ok(spooled > 9_000_000, String(spooled));
});

test('another budget begins with what is taken, and a spent one stays spent when anything else changes', () => {
  const { budget, told, names } = budgetOf({ bytesPerDay: 1_000 });
  budget.spend(1_000);
  const before = told.length;
  budget.configure({ bytesPerDay: 1_000, fold: false });
  assert.deepEqual([names(), told.length], [ALL, before]);
  budget.configure({ bytesPerDay: 0, fold: false });
  assert.deepEqual([names(), told.at(-1)], [[], []]);
  budget.configure({ bytesPerDay: 1_000, fold: false });
  assert.deepEqual([names(), told.at(-1)], [ALL, ALL]);
  budget.configure({ bytesPerDay: 1_000, fold: true });
  assert.deepEqual([names(), told.at(-1)], [ALL.slice(2), ALL.slice(2)]);
  budget.configure({ bytesPerDay: 4_000, fold: true });
  assert.deepEqual([names(), budget.leftBytes], [[], 3_000]);
  budget.configure({ bytesPerDay: 1_000, fold: false });
  assert.deepEqual([names(), budget.leftBytes], [ALL, 0]);
});

test('a restart goes on with what is taken, but for what the time between filled again', () => {
  const first = budgetOf({ bytesPerDay: 1_000 });
  first.budget.spend(999);
  first.budget.spend(1);
  assert.equal(first.kept.bytes, 999, 'one byte of a thousand is not kept at once');
  const next = budgetOf({ bytesPerDay: 1_000 }, { ...first.kept, agoMs: DAY_MS / 4 });
  next.budget.start();
  assert.deepEqual([next.budget.leftBytes, next.told], [251, [ALL.slice(0, 2)]]);
  const later = budgetOf({ bytesPerDay: 1_000 }, { ...first.kept, agoMs: 3 * DAY_MS });
  later.budget.start();
  assert.deepEqual([later.budget.leftBytes, later.told], [1_000, []]);
});

test('what is taken outlives runs without a budget', () => {
  const { budget, kept, names } = budgetOf({ bytesPerDay: 0 }, { bytes: 1_000, agoMs: 0 });
  budget.start();
  budget.spend(5_000);
  assert.deepEqual([names(), kept.bytes], [[], 1_000]);
  budget.configure({ bytesPerDay: 1_000, fold: false });
  assert.deepEqual(names(), ALL);
});

test('what was taken before runs without a budget is earned back meanwhile', () => {
  const { budget, state, names } = budgetOf({ bytesPerDay: 0 }, { bytes: 1_000, agoMs: DAY_MS / 2 });
  budget.start();
  state.nowMs += DAY_MS / 4;
  budget.configure({ bytesPerDay: 0, fold: false });
  state.nowMs += DAY_MS / 4;
  budget.configure({ bytesPerDay: 1_000, fold: false });
  assert.deepEqual([names(), budget.leftBytes], [[], 1_000]);
});

test('a step that is about to be taken back is not lifted by another configuration', () => {
  const { budget, state, told } = budgetOf({ bytesPerDay: 1_000_000 });
  budget.spend(500_000);
  state.nowMs += DAY_MS / 100;
  budget.configure({ bytesPerDay: 1_000_000, fold: false });
  assert.deepEqual(told, [ALL.slice(0, 1)]);
});

/** The steps up to the named one. */
function stepsTo(name: string): readonly BudgetStep[] {
  const { budget } = budgetOf({ bytesPerDay: 1_000 });
  budget.spend(1_000);
  return budget.steps.slice(0, ALL.indexOf(name) + 1);
}

const KINDS = EVENT_KINDS.filter((kind) => kind !== 'unknown' && kind !== 'summary');

test('each step leaves out its kinds and counts them under its own name', () => {
  const leftOut = (name: string) => {
    const { append, close, reducer } = createReducedBatches({ fold: false, steps: stepsTo(name) });
    append(...KINDS.map((kind, index) => ({ kind, seq: index + 1 })));
    const kept = close().map(({ kind }) => kind);
    return {
      gone: KINDS.filter((kind) => !kept.includes(kind)),
      rules: reducer.counts.list.map(({ rule, filtered }) => [rule, filtered]),
    };
  };
  assert.deepEqual(leftOut('budget-repeated'), { gone: [], rules: [] });
  assert.deepEqual(leftOut('budget-updates'), { gone: ['update'], rules: [['budget-updates', 1]] });
  const { gone, rules } = leftOut('budget-everything');
  assert.deepEqual(gone, KINDS);
  assert.deepEqual(Object.fromEntries(rules), {
    'budget-updates': 1,
    'budget-retransmits': 1,
    'budget-everything': KINDS.length - 2,
  });
});

test('loopback folds first, then all, each counted by its step; the window is longer while anything may fold', () => {
  const fold = (steps: readonly BudgetStep[]) => {
    const { append, close, reducer } = createReducedBatches({ fold: false, steps });
    const peers = ['127.0.0.1', '::1', '10.0.0.2'];
    append(
      ...peers.flatMap((peer_address, peer) =>
        [1, 2, 3].map((time) => ({ peer_address, seq: 3 * peer + time })),
      ),
    );
    return {
      rows: close().length,
      flushMs: reducer.flushMs,
      rules: reducer.counts.list.map(({ rule, folded }) => [rule, folded]),
    };
  };
  assert.deepEqual(fold([]), { rows: 9, flushMs: 500, rules: [] });
  assert.deepEqual(fold(stepsTo('budget-loopback')), {
    rows: 7,
    flushMs: 10_000,
    rules: [['budget-loopback', 2]],
  });
  assert.deepEqual(fold(stepsTo('budget-repeated')), {
    rows: 6,
    flushMs: 10_000,
    rules: [
      ['budget-loopback', 2],
      ['budget-repeated', 1],
    ],
  });
});

test("the agent's own ceiling folds by itself, and beside the budget each event is counted once", () => {
  const ceiling: BudgetStep = { name: 'ceiling-fold', folds: 'repeated', leavesOut: [], cost: '' };
  const fold = (steps: readonly BudgetStep[]) => {
    const { append, close, reducer } = createReducedBatches({ fold: false, steps });
    append(
      ...['127.0.0.1', '10.0.0.2'].flatMap((peer_address, peer) =>
        [1, 2, 3].map((time) => ({ peer_address, seq: 3 * peer + time })),
      ),
    );
    const rules = reducer.counts.list.map(({ rule, folded }) => [rule, folded]);
    reducer.setSteps(steps.filter((step) => step !== ceiling));
    return { rows: close().length, rules };
  };
  const byBoth = (loopback: string, others: string) => ({
    rows: 4,
    rules: loopback === others ? [[loopback, 2]] : [loopback, others].map((rule) => [rule, 1]),
  });
  assert.deepEqual(fold([ceiling]), byBoth('ceiling-fold', 'ceiling-fold'));
  assert.deepEqual(fold([...stepsTo('budget-loopback'), ceiling]), byBoth('budget-loopback', 'ceiling-fold'));
  assert.deepEqual(
    fold([...stepsTo('budget-repeated'), ceiling]),
    byBoth('budget-loopback', 'budget-repeated'),
  );
});

test('a step that is taken back while connections are held loses none of them', () => {
  const { append, close, reducer } = createReducedBatches({ fold: false, steps: stepsTo('budget-repeated') });
  append({ seq: 1 }, { seq: 2 }, { seq: 3 });
  reducer.setSteps([]);
  append({ seq: 4 });
  assert.deepEqual(
    close().map(({ connections }) => connections),
    [1, 1, 2],
  );
});

test('a step that leaves out everything still tells the ends of connections that began before it', () => {
  const state = { nowNs: SINCE_NS };
  const { append, close, reducer } = createReducedBatches({ fold: false, boottimeNs: () => state.nowNs });
  state.nowNs += 500n;
  reducer.setSteps(stepsTo('budget-everything'));
  append(
    { seq: 1, start_ts: SINCE_NS + 499n, duration_us: 2_000_000 },
    { seq: 2, start_ts: SINCE_NS + 500n },
    { seq: 3, kind: 'open' },
  );
  state.nowNs += 500n;
  reducer.setSteps(stepsTo('budget-everything'));
  append({ seq: 4, start_ts: SINCE_NS + 600n });
  assert.deepEqual(
    close().map(({ seq }) => seq),
    [1],
  );
});
