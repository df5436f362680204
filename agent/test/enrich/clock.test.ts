import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clocks, createClock } from '../../src/enrich/clock.ts';
import type { KeptOffset } from '../../src/enrich/kept-offset.ts';

const OFFSET_NS = 1_700_000_000_000_000_000n;
const OFFSET_US = 1_700_000_000_000_000;

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

/** What a disk holds that takes writes while `works`. */
function diskWith(
  offsetUs?: number,
): KeptOffset & { offsetUs: number | undefined; works: boolean; writes: number } {
  const disk = {
    offsetUs,
    works: true,
    writes: 0,
    read: () => disk.offsetUs,
    write(value: number) {
      disk.writes += 1;
      if (disk.works) disk.offsetUs = value;
      return disk.works;
    },
  };
  return disk;
}

function startedClock(clocks: Clocks, disk = diskWith()) {
  const steps: number[] = [];
  const clock = createClock({ clocks, onStep: ({ by_us }) => steps.push(by_us) });
  clock.start(disk);
  return { clock, disk, steps };
}

test('kernel time plus the offset is UTC, within the error that is given', () => {
  const { clock } = startedClock(clocksAt(OFFSET_NS));
  assert.ok(Math.abs(clock.offset_us - OFFSET_US) <= clock.error_us);
  assert.equal(clock.error_us, 2);
});

test('a reading that differs by less than a step changes the error, never the offset', () => {
  const clocks = clocksAt(OFFSET_NS);
  const { clock, disk, steps } = startedClock(clocks);
  const first = clock.offset_us;
  for (const shiftNs of [3_000n, -40_000n, 999_000n, -900_000n]) {
    clocks.offsetNs = OFFSET_NS + shiftNs;
    clock.measure();
    assert.equal(clock.offset_us, first);
    const offBy = Math.abs(Number(shiftNs) / 1_000);
    assert.ok(clock.error_us >= offBy && clock.error_us <= offBy + 4, `${clock.error_us} of ${offBy}`);
  }
  assert.deepEqual([clock.steps, steps, disk.writes], [0, [], 1]);
});

test('steps too small to follow add up to one that is', () => {
  const clocks = clocksAt(OFFSET_NS);
  const { clock, steps } = startedClock(clocks);
  for (let count = 0; count < 3; count++) {
    clocks.offsetNs += 500_000n;
    clock.measure();
  }
  assert.deepEqual(steps, [1_500]);
  assert.ok(Math.abs(clock.offset_us - (OFFSET_US + 1_500)) <= clock.error_us);
});

test('a clock that was set is counted, followed and kept', () => {
  const clocks = clocksAt(OFFSET_NS);
  const { clock, disk, steps } = startedClock(clocks);
  clocks.offsetNs += 3_600_000_000_000n;
  clock.measure();
  assert.equal(clock.steps, 1);
  assert.deepEqual(steps, [3_600_000_000]);
  assert.ok(Math.abs(clock.offset_us - (OFFSET_US + 3_600_000_000)) <= clock.error_us);
  assert.equal(disk.offsetUs, clock.offset_us);
});

test('the next run of the boot has the same offset, to the microsecond', () => {
  const { clock: first, disk } = startedClock(clocksAt(OFFSET_NS));
  const { clock: second, steps } = startedClock(clocksAt(OFFSET_NS + 7_000n), disk);
  assert.equal(second.offset_us, first.offset_us);
  assert.deepEqual([steps, disk.writes], [[], 1]);
});

test('a clock that was set while no agent ran is counted by the next', () => {
  const { disk } = startedClock(clocksAt(OFFSET_NS));
  const { clock, steps } = startedClock(clocksAt(OFFSET_NS + 60_000_000_000n), disk);
  assert.deepEqual([clock.steps, steps], [1, [60_000_000]]);
  assert.equal(disk.offsetUs, clock.offset_us);
});

test('what the disk refused is written as soon as it takes it', () => {
  const disk = diskWith();
  disk.works = false;
  const { clock } = startedClock(clocksAt(OFFSET_NS), disk);
  clock.measure();
  assert.equal(disk.offsetUs, undefined);
  disk.works = true;
  clock.measure();
  clock.measure();
  assert.equal(disk.offsetUs, clock.offset_us);
  assert.equal(disk.writes, 3);
});

test('the reading that was held up least is taken', () => {
  const clocks = clocksAt(OFFSET_NS);
  let reads = 0;
  const held: Clocks = {
    realtimeNs: clocks.realtimeNs,
    boottimeNs: () => {
      if (reads++ !== 2) clocks.boottimeNs0 += 50_000_000n;
      return clocks.boottimeNs();
    },
  };
  const { clock } = startedClock(held);
  assert.equal(clock.error_us, 2);
});

test('one close reading tells that nobody set the clock; what is in doubt is read again, and the closest taken', () => {
  const clocks = clocksAt(OFFSET_NS);
  let reads = 0;
  let heldNs = 0n;
  const { clock, steps } = startedClock({
    realtimeNs: clocks.realtimeNs,
    boottimeNs() {
      if (reads++ % 32 !== 31) clocks.boottimeNs0 += heldNs;
      return clocks.boottimeNs();
    },
  });
  reads = 0;
  clock.measure();
  assert.equal(reads, 1);
  heldNs = 50_000_000n;
  reads = 0;
  clock.measure();
  assert.deepEqual([clock.error_us <= 4, steps], [true, []], 'held up');
  heldNs = 90_000n;
  clocks.offsetNs += 2_000_000n;
  reads = 0;
  clock.measure();
  assert.deepEqual([clock.error_us, steps], [2, [2_000]], 'set');
});

test('readings that were all held up prove no step', () => {
  const clocks = clocksAt(OFFSET_NS);
  let heldNs = 0n;
  const { clock, steps } = startedClock({
    realtimeNs: clocks.realtimeNs,
    boottimeNs() {
      const now = clocks.boottimeNs();
      clocks.boottimeNs0 += heldNs;
      return now;
    },
  });
  const first = clock.offset_us;
  heldNs = 50_000_000n;
  clock.measure();
  assert.deepEqual([clock.offset_us, steps], [first, []]);
  assert.ok(clock.error_us >= 25_000);
});
