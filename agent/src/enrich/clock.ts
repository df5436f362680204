/**
 * Kernel time (ns since boot, suspend included) to UTC.
 *
 * CLOCK_REALTIME and CLOCK_BOOTTIME are slewed alike, so their difference changes only when the clock is set, or by
 * a leap second. It is measured once and kept for the boot, over restarts of the agent: one instant of the kernel is
 * one time in UTC. It is measured again at every `measure`, and followed, counted and kept when the clock was set.
 * Events that happened before that and are encoded after it carry the new clock.
 */
import type { KeptOffset } from './kept-offset.ts';

export interface Clocks {
  /** UTC, ns since the epoch. */
  realtimeNs(): bigint;
  /** CLOCK_BOOTTIME, ns. */
  boottimeNs(): bigint;
}

export interface Clock {
  /** Takes over the offset kept of this boot, if the clock was not set since; else measures. Once, before first use. */
  start(kept: KeptOffset): void;
  /** Measures again. */
  measure(): void;
  /** UTC µs = boot-time µs + this. */
  readonly offset_us: number;
  /** How far off UTC the offset may be: what the last reading leaves open, and how far that is from the offset. */
  readonly error_us: number;
  readonly steps: number;
  /** UTC now, µs. */
  nowUs(): number;
}

interface Reading {
  readonly offsetUs: number;
  /** The true offset is no further away. */
  readonly errorUs: number;
}

/** The one whose clocks were read closest to one another is taken, and kept for the whole boot. */
const READINGS = 32;
/** One that leaves no more open tells alone that nobody set the clock. */
const ERROR_US_MAX = 100;
/** A clock that was set by less is not followed: it would cost more identity than accuracy. */
const STEP_US_MIN = 1_000;

export function createClock(deps: {
  readonly clocks: Clocks;
  readonly onStep?: (step: { readonly by_us: number }) => void;
}): Clock {
  let kept: KeptOffset | undefined;
  let isKept = false;
  let offsetUs = 0;
  let errorUs = 0;
  let steps = 0;

  function read(): { offsetNs: bigint; widthNs: bigint } {
    const before = deps.clocks.realtimeNs();
    const boottimeNs = deps.clocks.boottimeNs();
    const after = deps.clocks.realtimeNs();
    return { offsetNs: before + (after - before) / 2n - boottimeNs, widthNs: after - before };
  }

  function best(): Reading {
    let found = read();
    for (let count = 1; count < READINGS; count++) {
      const next = read();
      // A clock set back between the two readings gives a negative width: no reading at all.
      if (next.widthNs >= 0n && (found.widthNs < 0n || next.widthNs < found.widthNs)) found = next;
    }
    return readingOf(found);
  }

  const isStep = (reading: Reading): boolean =>
    Math.abs(reading.offsetUs - offsetUs) > STEP_US_MIN + reading.errorUs;

  /** Follows the reading when the clock was set; a reading that was held up is no proof of that. */
  function compare(reading: Reading): void {
    const byUs = reading.offsetUs - offsetUs;
    if (isStep(reading)) {
      adopt(reading);
      steps += 1;
      deps.onStep?.({ by_us: byUs });
      return;
    }
    errorUs = reading.errorUs + Math.abs(byUs);
    if (!isKept) isKept = kept?.write(offsetUs) ?? false;
  }

  function adopt(reading: Reading): void {
    offsetUs = reading.offsetUs;
    errorUs = reading.errorUs;
    isKept = kept?.write(offsetUs) ?? false;
  }

  return {
    start(keptOffset) {
      kept = keptOffset;
      const reading = best();
      const ofThisBoot = kept.read();
      if (ofThisBoot === undefined) {
        adopt(reading);
      } else {
        offsetUs = ofThisBoot;
        isKept = true;
        compare(reading);
      }
    },
    measure() {
      // Every second: on an idle host more than one would be a good part of what the agent costs.
      const once = readingOf(read());
      compare(isStep(once) || once.errorUs > ERROR_US_MAX ? best() : once);
    },
    get offset_us() {
      return offsetUs;
    },
    get error_us() {
      return errorUs;
    },
    get steps() {
      return steps;
    },
    nowUs: () => Number(deps.clocks.realtimeNs() / 1_000n),
  };
}

function readingOf({ offsetNs, widthNs }: { readonly offsetNs: bigint; readonly widthNs: bigint }): Reading {
  const halfNs = Math.abs(Number(widthNs)) / 2;
  return { offsetUs: Number(offsetNs / 1_000n), errorUs: Math.max(1, Math.ceil(halfNs / 1_000)) };
}
