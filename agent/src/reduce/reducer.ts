/**
 * What becomes no row of its own: events that a rule leaves out, and repeated connections, folded into one row. It
 * stands before the batch builder and is used like it.
 */
import { EVENT_KINDS } from '@tcptrail/schemas/enums.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import type { BudgetStep } from './budget.ts';
import { createExclusion, ENDS, type Exclusion, numberAt } from './exclusion.ts';
import { createFilter, type Filter } from './filter.ts';
import { createFolder, type FoldedOwner, type Folder, type FolderConfig, type FolderDeps } from './folder.ts';
import { isLoopback } from './loopback.ts';
import { cpuOf, seqOf } from './number-of.ts';
import { createRuleCounts, type RuleCounts } from './rule-counts.ts';

export interface ReducerConfig extends FolderConfig {
  /** Repeated connections are folded, whatever the budget. */
  readonly fold: boolean;
  /** A batch with rows is closed after this, ms; while anything may be folded, after `windowMs` if that is longer. */
  readonly flushMs: number;
  readonly windowMs: number;
}

interface Owner extends FoldedOwner {
  readonly owner: { readonly cgroup_path: string };
}

export interface ReducerDeps<O extends Owner, Built> {
  readonly owners: FolderDeps<O>['owners'];
  readonly builder: {
    accepts(words: Uint32Array, bytes: Uint8Array, at: number): boolean;
    append(words: Uint32Array, bytes: Uint8Array, at: number): void;
    appendHeld: FolderDeps<O>['appendHeld'];
    readonly rows: number;
    readonly bytes: number;
    isFull(): boolean;
    take(): Built;
  };
  /** What is to stay on this host is taken out after the filters, which ask for it, and before all else. */
  readonly records: {
    pass(
      words: Uint32Array,
      bytes: Uint8Array,
      at: number,
      next: (words: Uint32Array, bytes: Uint8Array, at: number) => void,
    ): void;
    readonly hides: boolean;
  };
  readonly account: FolderDeps<O>['account'] & { filter(cpu: number, seq: number): void };
  /** Now, ns since boot. */
  readonly boottimeNs: () => bigint;
}

export interface Reducer<Built> {
  /** This and `isFull` are other functions when what is reduced changes. */
  readonly append: (words: Uint32Array, bytes: Uint8Array, at: number) => void;
  /** Rows that the batch would have. */
  readonly rows: number;
  readonly isFull: () => boolean;
  /** How long a batch with rows stays open now, ms. */
  readonly flushMs: number;
  take(): Built;
  /** Between two batches: what comes from now on is folded like this, and hidden as `records` does now. */
  configure(config: ReducerConfig): void;
  /**
   * Between two drains: what comes from now on is left out by this. Of what began before `sinceNs`, ns since boot,
   * something may have been told. None is in force at first.
   */
  setFilter(filter: Filter, sinceNs: bigint): void;
  /** Steps of the budget in force. */
  setSteps(steps: readonly BudgetStep[]): void;
  readonly counts: Pick<RuleCounts, 'list' | 'totals'>;
}

/** Counted under this where the configuration says so. */
const FOLD = 'fold';
const CLOSE = EVENT_KINDS.indexOf('close');
const START = RING.start_ts >> 2;
const PID = RING.pid >> 2;

export function createReducer<O extends Owner, Built>(
  first: ReducerConfig,
  deps: ReducerDeps<O, Built>,
): Reducer<Built> {
  const { builder, owners, records, account, boottimeNs } = deps;
  let config = first;
  const counts = createRuleCounts();
  /** Made when something is to be folded. */
  let folder: Folder | undefined;
  let filter = createFilter([]);
  let exclusion = exclusionSince(0);
  let steps: readonly BudgetStep[] = [];
  /** Rules that fold connections over loopback, and others; '' = none. */
  let loopbackRule = '';
  let repeatedRule = '';
  /** By kind, the step that leaves it out; '' = none. */
  let leftOutBy: readonly string[] = [];
  /** ns since boot: since when a step leaves out the ends of connections. */
  let stepSinceNs = 0;
  /** The record under way is an event. */
  let isEvent = false;

  function settle(): void {
    const folding = (what: BudgetStep['folds']): string =>
      steps.find(({ folds }) => folds === what)?.name ?? '';
    repeatedRule = config.fold ? FOLD : folding('repeated');
    // A step that folds all, without the one before it, folds loopback too.
    loopbackRule = config.fold ? FOLD : folding('loopback') || repeatedRule;
    leftOutBy = EVENT_KINDS.map(
      (kind) => steps.find(({ leavesOut }) => leavesOut.includes(kind))?.name ?? '',
    );
    const isActive = config.fold || steps.length > 0 || filter.names.length > 0;
    const plain = records.hides ? pass : builder.append;
    reducer.append = isActive ? reduce : plain;
    if (loopbackRule === '' || folder) return;
    const made = createFolder(config, { owners, account, appendHeld: builder.appendHeld });
    folder = made;
    reducer.isFull = () =>
      builder.rows + made.rows >= config.rowsMax || builder.bytes + made.bytes >= config.bytesMax;
  }

  function exclusionSince(sinceNs: number): Exclusion {
    return createExclusion({ filter, sinceNs, openHoldMs: config.openHoldMs }, { cgroupPathOf, boottimeNs });
  }

  function cgroupPathOf(words: Uint32Array, bytes: Uint8Array, at: number): string {
    return words[(at >>> 2) + PID] === 0 ? '' : owners.find(words, bytes, at).owner.cgroup_path;
  }

  function leftOut(words: Uint32Array, bytes: Uint8Array, at: number): boolean {
    const kind = bytes[at + RING.kind] as number;
    const met = exclusion.ruleOf(words, bytes, at);
    const rule = met >= 0 ? filter.names[met] : leftOutBy[kind];
    if (!rule) return false;
    // Of an older one something may have been told: without its end it would seem to live for ever.
    if (met < 0 && ENDS[kind] && numberAt(words, (at >>> 2) + START) < stepSinceNs) return false;
    counts.filter(rule);
    account.filter(cpuOf(bytes, at), seqOf(words, at));
    return true;
  }

  function held(words: Uint32Array, bytes: Uint8Array, at: number): boolean {
    if (!folder || loopbackRule === '') return false;
    const rule = loopbackRule !== repeatedRule && isLoopback(words, at) ? loopbackRule : repeatedRule;
    if (rule === '') return false;
    const taken = folder.take(words, bytes, at);
    if (taken === 'folded') counts.fold(rule);
    return taken !== 'row';
  }

  function put(words: Uint32Array, bytes: Uint8Array, at: number): void {
    if (isEvent && held(words, bytes, at)) return;
    builder.append(words, bytes, at);
  }

  function reduce(words: Uint32Array, bytes: Uint8Array, at: number): void {
    isEvent = builder.accepts(words, bytes, at);
    if (isEvent && leftOut(words, bytes, at)) return;
    records.pass(words, bytes, at, put);
  }

  const pass: Reducer<Built>['append'] = (words, bytes, at) => records.pass(words, bytes, at, builder.append);

  const reducer: { -readonly [Key in keyof Reducer<Built>]: Reducer<Built>[Key] } = {
    append: builder.append,
    get rows() {
      return builder.rows + (folder?.rows ?? 0);
    },
    isFull: builder.isFull,
    get flushMs() {
      return loopbackRule === '' ? config.flushMs : Math.max(config.flushMs, config.windowMs);
    },
    take() {
      folder?.close();
      return builder.take();
    },
    configure(next) {
      const isOtherHold = next.openHoldMs !== config.openHoldMs;
      config = next;
      if (isOtherHold) exclusion = exclusionSince(Number(boottimeNs()));
      folder = undefined;
      reducer.isFull = builder.isFull;
      settle();
    },
    setFilter(next, sinceNs) {
      filter = next;
      exclusion = exclusionSince(Number(sinceNs));
      settle();
    },
    setSteps(next) {
      const leftOutBefore = leftOutBy[CLOSE];
      steps = next;
      settle();
      if (leftOutBy[CLOSE] !== leftOutBefore) stepSinceNs = Number(boottimeNs());
    },
    counts,
  };
  settle();
  return reducer;
}
