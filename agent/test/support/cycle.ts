/** A cycle and its drain over a kernel of lists. */
import type { Health } from '@tcptrail/schemas/batch.ts';
import { createCycle } from '../../src/cycle.ts';
import { createDrain, type DrainedRing } from '../../src/drain.ts';

const HEALTH = {} as Health;

/** A ring of 8-byte records, `written()` of them so far, the last `busy()` of them not yet whole, the first `bad` bad. */
function ringOf(written: () => number, busy: () => number, bad = 0): DrainedRing & { release(): void } {
  let position = 0;
  let released = 0;
  return {
    size: 1_000,
    get badRecords() {
      return Math.min(bad, position / 8);
    },
    get position() {
      return position;
    },
    get released() {
      return released;
    },
    producerPosition: () => written() * 8,
    fill: () => (written() * 8 - released) / 1_000,
    unread: () => (written() * 8 - position) / 1_000,
    drain(upTo, onRecord) {
      for (const end = Math.min(upTo, (written() - busy()) * 8); position < end; position += 8)
        if (position >= bad * 8) onRecord(new Uint32Array(0), new Uint8Array(0), 0);
      return 0;
    },
    release() {
      released = position;
    },
  };
}

/** A kernel that numbers events on one CPU, and everything behind it, as lists. */
export function cycleOf({ bad = 0 } = {}) {
  const config = { heartbeatMs: 10_000 };
  const log: string[] = [];
  const state = {
    nowMs: 1,
    ring: 0,
    valid: true,
    ready: true,
    busy: 0,
    rows: 0,
    rowsMax: 100,
    flushMs: 500,
    leftOut: false,
    olderTold: false,
    leavesOutOlder: false,
    beats: 0,
    ringFills: [] as number[],
  };
  const rings = {
    lifecycle: ringOf(
      () => state.ring,
      () => state.busy,
      bad,
    ),
    chatter: ringOf(
      () => 0,
      () => 0,
    ),
  };
  /** A batch is in the spool, and what it holds given back. */
  function ship(what: string): void {
    batcher.batchSeq += 1;
    log.push(`${what} ${state.rows}`);
    state.rows = 0;
    rings.lifecycle.release();
  }
  const batcher = {
    batchSeq: 0,
    flush: () => ship('flush'),
    cut: () => ship('cut'),
    heartbeat: () => ship('heartbeat'),
  };
  const builder = {
    append: () => {
      state.rows += state.leftOut ? 0 : 1;
    },
    get flushMs() {
      return state.flushMs;
    },
    get rows() {
      return state.rows;
    },
    isFull: () => state.rows >= state.rowsMax,
  };
  const spool = {
    get ready() {
      return state.ready;
    },
    tick: () => {},
  };
  const drain = createDrain({
    recording: {
      rings,
      sample: () =>
        state.valid
          ? {
              accounts: [{ cpu: 0, seq: 1, failed: 0, folded: 0, filtered: 0 }],
              upTo: { lifecycle: state.ring * 8, chatter: 0 },
            }
          : undefined,
    },
    account: { begin: () => log.push('begin'), complete: () => log.push('complete') },
    builder,
    batcher,
    spool,
    onUnsettled: () => log.push('unsettled'),
    onBadRecords: (count) => log.push(`bad ${count}`),
  });
  const cycle = createCycle(config, {
    trace: {
      get olderTold() {
        return state.olderTold;
      },
      beat: () => {
        state.beats += 1;
      },
      watch: (nowMs) => void log.push(...(nowMs > 1_000_000 ? ['watch'] : [])),
    },
    drain,
    pacing: { next: ({ fill }) => (fill > 0 ? 100 : 500) },
    builder,
    leavesOutOlder: () => state.leavesOutOlder,
    batcher,
    spool,
    clock: { measure: () => log.push('clock') },
    health({ olderTold, ringFill }) {
      if (olderTold) log.push('older told');
      state.ringFills.push(ringFill);
      return HEALTH;
    },
    nowMs: () => state.nowMs,
  });
  return { cycle, log, state };
}
