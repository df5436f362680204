/** The agent's round: drain what the kernel recorded, close what is due, look at what no hook tells. */
import type { Health } from '@tcptrail/schemas/batch.ts';
import type { Drain } from './drain.ts';

export interface CycleDeps {
  readonly trace: {
    /** The agent is still there. */
    beat(): void;
    /** Looks for what no hook tells, when it is time to. */
    watch(nowMs: number): void;
    /** Each open connection older than the kernel state is told in the rings. */
    readonly olderTold: boolean;
  };
  readonly drain: Drain;
  /** How long to wait before the next turn, ms. */
  readonly pacing: { next(found: { readonly fill: number; readonly nowMs: number }): number };
  /** `flushMs`: how long a batch with rows stays open. */
  readonly builder: { readonly rows: number; readonly flushMs: number };
  /** The budget leaves out what tells of connections and listeners that go on. */
  readonly leavesOutOlder: () => boolean;
  readonly batcher: { readonly batchSeq: number; flush(): void; heartbeat(health: Health): void };
  readonly spool: { readonly ready: boolean; tick(): void };
  readonly clock: { measure(): void };
  /**
   * `olderTold`: that each such connection is in the batches so far, too. `ringFill`: how full the fuller ring was at
   * most since the last one, 0 to 1.
   */
  readonly health: (now: { readonly olderTold: boolean; readonly ringFill: number }) => Health;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
}

export interface Cycle {
  /** Returns how long to wait for the next one, ms. */
  turn(): number;
  /** Other times, from now on; the next turn gives a heartbeat. */
  configure(config: CycleConfig): void;
  /** Drains to an account with all its rows, and ships it. True when, programs detached, nothing is left. */
  finish(): boolean;
}

const CLOCK_MS = 1_000;
/** Turns until an event that is under way must have settled: its program has long returned. */
const FINISH_TURNS_MAX = 1_000;

export interface CycleConfig {
  readonly heartbeatMs: number;
}

export function createCycle(config: CycleConfig, deps: CycleDeps): Cycle {
  let { heartbeatMs } = config;
  const { trace, drain, builder, batcher, spool } = deps;
  let clockAtMs = 0;
  let heartbeatAtMs = 0;
  /** When the eldest row of the open batch came; 0 = none. */
  let sinceMs = 0;
  let olderTold = false;
  /** Some of what is older came while it was left out: it is not told again, and nobody may take it for ended. */
  let olderLeftOut = false;
  let ringFill = 0;
  /** The last batch that was closed, here or while draining. */
  let batchSeq = 0;

  function heartbeat(): void {
    batcher.heartbeat(deps.health({ olderTold, ringFill }));
    ringFill = 0;
  }

  function drainWhole(): boolean {
    const told = trace.olderTold;
    if (!olderTold) olderLeftOut ||= deps.leavesOutOlder();
    const isWhole = drain.turn();
    if (isWhole) olderTold ||= told && !olderLeftOut;
    return isWhole;
  }

  return {
    turn() {
      const nowMs = deps.nowMs();
      if (nowMs >= clockAtMs) {
        clockAtMs = nowMs + CLOCK_MS;
        deps.clock.measure();
      }
      trace.beat();
      const fill = drain.unread();
      ringFill = Math.max(ringFill, drain.fill());
      drainWhole();
      if (spool.ready) trace.watch(nowMs);
      if (builder.rows === 0 || batcher.batchSeq !== batchSeq) sinceMs = 0;
      batchSeq = batcher.batchSeq;
      if (builder.rows > 0 && sinceMs === 0) sinceMs = nowMs;
      if (sinceMs > 0 && nowMs - sinceMs >= builder.flushMs) batcher.flush();
      if (nowMs >= heartbeatAtMs) {
        heartbeatAtMs = nowMs + heartbeatMs;
        if (spool.ready) heartbeat();
      }
      spool.tick();
      return deps.pacing.next({ fill, nowMs });
    },
    configure(next) {
      ({ heartbeatMs } = next);
      heartbeatAtMs = 0;
    },
    finish() {
      let settled = false;
      for (let turn = 0; turn < FINISH_TURNS_MAX && spool.ready && !settled; turn++) settled = drainWhole();
      if (spool.ready) heartbeat();
      return settled;
    },
  };
}
