import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clocks, createClock } from '../../src/enrich/clock.ts';

/** Two clocks that move only when they are read: `readNs` a reading. */
function clocksAt(offsetNs: bigint, readNs = 2_000n): Clocks & { offsetNs: bigint; boottimeNs0: bigint } {
  const clocks = {
    offsetNs,
    boottimeNs0: 5_000_000_000n,
    boottimeNs() {
      clocks.boottimeNs0 += readNs;
      return clocks.boottimeNs0;
    },
    realtimeNs: () => clocks.boottimeNs() + clocks.offsetNs,
  };
  return clocks;
}

test('kernel time plus the offset is UTC, within the error that is given', () => {
  const clock = createClock({ clocks: clocksAt(1_700_000_000_000_000_000n) });
  clock.measure();
  assert.ok(Math.abs(clock.offset_us - 1_700_000_000_000_000) <= clock.error_us);
  assert.equal(clock.error_us, 2);
});

test('a clock that was set is counted and followed', () => {
  const clocks = clocksAt(1_700_000_000_000_000_000n);
  const steps: number[] = [];
  const clock = createClock({ clocks, onStep: ({ by_us }) => steps.push(by_us) });
  clock.measure();
  clocks.offsetNs += 3_600_000_000_000n;
  clock.measure();
  assert.equal(clock.steps, 1);
  assert.deepEqual(steps, [3_600_000_000]);
  assert.ok(Math.abs(clock.offset_us - 1_700_003_600_000_000) <= clock.error_us);
});

test('a clock that is slewed is followed without counting a step', () => {
  const clocks = clocksAt(1_700_000_000_000_000_000n);
  const clock = createClock({ clocks });
  clock.measure();
  clocks.boottimeNs0 += 10_000_000_000n;
  clocks.offsetNs += 4_000_000n;
  clock.measure();
  assert.equal(clock.steps, 0);
  assert.ok(Math.abs(clock.offset_us - 1_700_000_000_004_000) <= clock.error_us);
});

test('the reading that was held up least is taken', () => {
  const clocks = clocksAt(1_700_000_000_000_000_000n);
  let reads = 0;
  const held: Clocks = {
    realtimeNs: clocks.realtimeNs,
    boottimeNs: () => {
      if (reads++ !== 2) clocks.boottimeNs0 += 50_000_000n;
      return clocks.boottimeNs();
    },
  };
  const clock = createClock({ clocks: held });
  clock.measure();
  assert.equal(clock.error_us, 2);
});
