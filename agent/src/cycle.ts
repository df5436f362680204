/**
 * One turn of the agent: sample the kernel's account, drain the rings into batches, close what is due.
 *
 * Knows the stages by what it asks of them; `main.ts` says who they are.
 */
import type { Health } from '@tcptrail/schemas/batch.ts';
import type { KernelAccount } from './encode/account.ts';

/** A ring as far as the cycle needs it; positions are bytes since the ring was made. */
export interface CycleRing {
  /** Bytes it holds. */
  readonly size: number;
  readonly position: number;
  /** Passed over so far. */
  readonly badRecords: number;
  producerPosition(): number;
  fill(): number;
  drain(upTo: number, onRecord: (words: Uint32Array, bytes: Uint8Array, at: number) => void): number;
  release(): void;
}

type RingName = 'lifecycle' | 'chatter';

export interface CycleDeps {
  readonly trace: {
    readonly rings: Readonly<Record<RingName, CycleRing>>;
    /** `undefined` while an event is under way. */
    sample():
      | { readonly accounts: readonly KernelAccount[]; readonly upTo: Readonly<Record<RingName, number>> }
      | undefined;
    /** Looks for what no hook tells, when it is time to. */
    watch(nowMs: number): void;
    /** Each open connection older than the trace is told in the rings. */
    readonly olderTold: boolean;
  };
  /** How long to wait before the next turn, ms. */
  readonly pacing: { next(found: { readonly fill: number; readonly nowMs: number }): number };
  readonly account: { begin(sample: readonly KernelAccount[]): void; complete(): void };
  readonly builder: {
    append(words: Uint32Array, bytes: Uint8Array, at: number): void;
    readonly rows: number;
    isFull(): boolean;
    /** How long a batch with rows stays open, ms. */
    readonly flushMs: number;
  };
  /** `cut` closes the batch without rows too. */
  readonly batcher: { flush(): void; cut(): void; heartbeat(health: Health): void };
  readonly spool: { readonly ready: boolean; tick(): void };
  readonly clock: { measure(): void };
  /** `olderTold`: that each such connection is in the batches so far, too. */
  readonly health: (now: { readonly olderTold: boolean }) => Health;
  readonly onUnsettled: () => void;
  /** So many records of a ring could not be told from one another. */
  readonly onBadRecords: (count: number) => void;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
}

export interface Cycle {
  /** Returns how long to wait for the next one, ms. */
  turn(): number;
  /** After the programs were detached: drains to the end and ships the last account. True when nothing is left. */
  finish(): boolean;
}

const RINGS: readonly RingName[] = ['lifecycle', 'chatter'];
const CLOCK_MS = 1_000;
/** Drained between two looks at the spool. */
const STEP_BYTES = 1024 * 1024;
/** And of a small ring no more than this share. */
const STEP_SHARE = 1 / 8;
/** A batch takes at most this share of a ring, as the room is given back when the batch is spooled. */
const BATCH_SHARE = 1 / 2;
/** Turns until an event that is under way must have settled: its program has long returned. */
const FINISH_TURNS_MAX = 1_000;

export function createCycle(config: { readonly heartbeatMs: number }, deps: CycleDeps): Cycle {
  const { trace, account, builder, batcher, spool } = deps;
  let clockAtMs = 0;
  let heartbeatAtMs = 0;
  /** When the eldest row of the open batch came; 0 = none. */
  let sinceMs = 0;
  let olderTold = false;
  /** How far each ring was read when a batch was last closed. */
  const closedAt: Record<RingName, number> = {
    lifecycle: trace.rings.lifecycle.position,
    chatter: trace.rings.chatter.position,
  };

  function closed(): void {
    for (const name of RINGS) closedAt[name] = trace.rings[name].position;
    sinceMs = 0;
  }

  function flush(): void {
    batcher.flush();
    closed();
  }

  function heartbeat(): void {
    batcher.heartbeat(deps.health({ olderTold }));
    closed();
  }

  /** Full batches are closed before the next record, so that the ring's position is that of the batch. */
  function take(words: Uint32Array, bytes: Uint8Array, at: number): void {
    if (builder.isFull()) flush();
    builder.append(words, bytes, at);
  }

  /** True when the ring was read up to there: an event still being written or a refusing disk stops it early. */
  function drainRing(name: RingName, upTo: number): boolean {
    const ring = trace.rings[name];
    const stepBytes = Math.min(STEP_BYTES, ring.size * STEP_SHARE);
    while (ring.position < upTo && spool.ready) {
      const before = ring.position;
      const badBefore = ring.badRecords;
      ring.drain(Math.min(upTo, before + stepBytes), take);
      ring.release();
      if (ring.badRecords > badBefore) deps.onBadRecords(ring.badRecords - badBefore);
      if (ring.position - closedAt[name] >= ring.size * BATCH_SHARE) {
        batcher.cut();
        closed();
      }
      if (ring.position === before) break;
    }
    return ring.position >= upTo;
  }

  /** True when a valid account and all its rows were taken. */
  function drain(): boolean {
    // With the disk refusing, events wait in the rings, where the kernel counts what no longer fits.
    if (!spool.ready) return false;
    const told = trace.olderTold;
    const sample = trace.sample();
    if (sample) account.begin(sample.accounts);
    else deps.onUnsettled();
    const whole = RINGS.map((name) =>
      drainRing(name, sample?.upTo[name] ?? trace.rings[name].producerPosition()),
    );
    if (builder.isFull()) flush();
    if (!sample || whole.includes(false)) return false;
    account.complete();
    olderTold ||= told;
    return true;
  }

  return {
    turn() {
      const nowMs = deps.nowMs();
      if (nowMs >= clockAtMs) {
        clockAtMs = nowMs + CLOCK_MS;
        deps.clock.measure();
      }
      const fill = Math.max(...RINGS.map((name) => trace.rings[name].fill()));
      drain();
      if (spool.ready) trace.watch(nowMs);
      if (builder.rows === 0) sinceMs = 0;
      else if (sinceMs === 0) sinceMs = nowMs;
      if (sinceMs > 0 && nowMs - sinceMs >= builder.flushMs) flush();
      if (nowMs >= heartbeatAtMs) {
        heartbeatAtMs = nowMs + config.heartbeatMs;
        if (spool.ready) heartbeat();
      }
      spool.tick();
      return deps.pacing.next({ fill, nowMs });
    },
    finish() {
      let settled = false;
      for (let turn = 0; turn < FINISH_TURNS_MAX && spool.ready && !settled; turn++) settled = drain();
      if (spool.ready) heartbeat();
      return settled;
    },
  };
}
