/**
 * Drains one recording into batches: samples the kernel's account, then reads both rings up to it. A ring is given back
 * to the kernel only up to what a batch in the spool holds: what this process loses, the next one reads again.
 *
 * Knows the stages by what it asks of them; `main.ts` says who they are.
 */
import { RINGS } from '@tcptrail/schemas/enums.ts';
import type { KernelAccount } from './encode/account.ts';

type RingName = (typeof RINGS)[number];

/** Positions are bytes since the ring was made. */
export interface DrainedRing {
  /** Bytes it holds. */
  readonly size: number;
  readonly position: number;
  /** Given back up to here. */
  readonly released: number;
  /** Passed over so far. */
  readonly badRecords: number;
  producerPosition(): number;
  /** Shares of the ring, 0 to 1: not given back, and not read. */
  fill(): number;
  unread(): number;
  drain(upTo: number, onRecord: (words: Uint32Array, bytes: Uint8Array, at: number) => void): number;
}

export interface DrainDeps {
  readonly recording: {
    readonly rings: Readonly<Record<RingName, DrainedRing>>;
    /** `undefined` while an event is under way. */
    sample():
      | { readonly accounts: readonly KernelAccount[]; readonly upTo: Readonly<Record<RingName, number>> }
      | undefined;
  };
  readonly account: { begin(sample: readonly KernelAccount[]): void; complete(): void };
  readonly builder: {
    append(words: Uint32Array, bytes: Uint8Array, at: number): void;
    isFull(): boolean;
  };
  /** `cut` closes the batch without rows too. */
  readonly batcher: { flush(): void; cut(): void };
  readonly spool: { readonly ready: boolean };
  readonly onUnsettled: () => void;
  /** So many records of a ring could not be told from one another. */
  readonly onBadRecords: (count: number) => void;
}

export interface Drain {
  /** True when a valid account and all its rows were taken. */
  turn(): boolean;
  /** Shares of a ring, of the one with more of it, 0 to 1: not given back, and not read. */
  fill(): number;
  unread(): number;
}

/** Drained between two looks at the spool. */
const STEP_BYTES = 1024 * 1024;
/** And of a small ring no more than this share. */
const STEP_SHARE = 1 / 8;
/** A batch takes at most this share of a ring, as the room is given back when the batch is spooled. */
const BATCH_SHARE = 1 / 2;

export function createDrain(deps: DrainDeps): Drain {
  const { recording, account, builder, batcher, spool } = deps;

  /** Full batches are closed before the next record, so that the ring's position is that of the batch. */
  function take(words: Uint32Array, bytes: Uint8Array, at: number): void {
    if (builder.isFull()) batcher.flush();
    builder.append(words, bytes, at);
  }

  /** True when the ring was read up to there: an event still being written or a refusing disk stops it early. */
  function drainRing(ring: DrainedRing, upTo: number): boolean {
    const stepBytes = Math.min(STEP_BYTES, ring.size * STEP_SHARE);
    while (ring.position < upTo && spool.ready) {
      const before = ring.position;
      const badBefore = ring.badRecords;
      ring.drain(Math.min(upTo, before + stepBytes), take);
      if (ring.badRecords > badBefore) deps.onBadRecords(ring.badRecords - badBefore);
      if (ring.position - ring.released >= ring.size * BATCH_SHARE) batcher.cut();
      if (ring.position === before) break;
    }
    return ring.position >= upTo;
  }

  const most = (share: 'fill' | 'unread'): number =>
    Math.max(...RINGS.map((name) => recording.rings[name][share]()));

  return {
    fill: () => most('fill'),
    unread: () => most('unread'),
    turn() {
      // With the disk refusing, events wait in the rings, where the kernel counts what no longer fits.
      if (!spool.ready) return false;
      const sample = recording.sample();
      if (sample) account.begin(sample.accounts);
      else deps.onUnsettled();
      const whole = RINGS.map((name) => {
        const ring = recording.rings[name];
        return drainRing(ring, sample?.upTo[name] ?? ring.producerPosition());
      });
      const isComplete = sample !== undefined && !whole.includes(false);
      if (isComplete) account.complete();
      if (builder.isFull()) batcher.flush();
      return isComplete;
    },
  };
}
