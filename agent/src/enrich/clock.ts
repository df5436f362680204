/**
 * Kernel time (ns since boot, suspend included) to UTC.
 *
 * The offset is measured again at every call of `measure`: it follows a clock that is slewed, and a clock that was
 * set is noticed and counted. Events that happened before the step and are encoded after it carry the new clock.
 */

export interface ClockReading {
  /** UTC, ns since the epoch. */
  readonly realtimeNs: bigint;
  /** CLOCK_BOOTTIME, ns. */
  readonly boottimeNs: bigint;
}

export interface Clocks {
  realtimeNs(): bigint;
  boottimeNs(): bigint;
}

export interface Clock {
  /** Measures again. Call once before the first use. */
  measure(): void;
  /** UTC µs = boot-time µs + this. */
  readonly offset_us: number;
  /** Half the time the best reading took: no offset is further off than this. */
  readonly error_us: number;
  readonly steps: number;
  /** UTC now, µs. */
  nowUs(): number;
}

const READINGS = 5;
/** Kernel limit of slewing, parts per million. */
const SLEW_PPM_MAX = 500;
/** Jitter that is no step. */
const STEP_US_MIN = 1_000;

export function createClock(deps: {
  readonly clocks: Clocks;
  readonly onStep?: (step: { readonly by_us: number }) => void;
}): Clock {
  let offsetUs = 0;
  let errorUs = 0;
  let measuredAtUs = 0;
  let steps = 0;

  function read(): { offsetNs: bigint; widthNs: bigint; boottimeNs: bigint } {
    const before = deps.clocks.realtimeNs();
    const boottimeNs = deps.clocks.boottimeNs();
    const after = deps.clocks.realtimeNs();
    return { offsetNs: before + (after - before) / 2n - boottimeNs, widthNs: after - before, boottimeNs };
  }

  function best(): ReturnType<typeof read> {
    let found = read();
    for (let count = 1; count < READINGS; count++) {
      const next = read();
      // A clock set back between the two readings gives a negative width: no reading at all.
      if (next.widthNs >= 0n && (found.widthNs < 0n || next.widthNs < found.widthNs)) found = next;
    }
    return found;
  }

  return {
    measure() {
      const { offsetNs, widthNs, boottimeNs } = best();
      const measured = Number(offsetNs / 1_000n);
      const nowUs = Number(boottimeNs / 1_000n);
      const byUs = measured - offsetUs;
      const slewUsMax = ((nowUs - measuredAtUs) * SLEW_PPM_MAX) / 1_000_000;
      if (measuredAtUs > 0 && Math.abs(byUs) > STEP_US_MIN + slewUsMax) {
        steps += 1;
        deps.onStep?.({ by_us: byUs });
      }
      offsetUs = measured;
      errorUs = Math.max(1, Math.ceil(Math.abs(Number(widthNs)) / 2_000));
      measuredAtUs = nowUs;
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
