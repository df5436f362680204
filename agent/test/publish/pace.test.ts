import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../test/random.ts';
import { createSpool, NOW_US } from '../../../test/spool-writer.ts';
import { createBackoff } from '../../src/publish/backoff.ts';
import { createPace, RECORDED_MS_MAX } from '../../src/publish/pace.ts';
import { createBroker, publisherOn } from './support/broker.ts';

const HOUR_MS = 3_600_000;

/** A clock that stands still until somebody waits. */
function createClock() {
  let atMs = 0;
  const waits: number[] = [];
  return {
    waits,
    nowMs: () => atMs,
    async wait(ms: number) {
      waits.push(ms);
      atMs += ms;
    },
    random: () => 0.5,
    pass(ms: number) {
      atMs += ms;
    },
  };
}

test('what is recorded now never waits, and a short outage is made up at once', () => {
  const clock = createClock();
  const pace = createPace({ replaySpeedMax: 4 }, clock);
  for (let batch = 0; batch < 100; batch++) {
    assert.equal(pace.waitMs(500), 0);
    pace.spend(500);
    clock.pass(500);
  }
  assert.equal(pace.waitMs(RECORDED_MS_MAX), 0);
});

test('an outage is caught up in its length divided by the speed less one, as it goes on being recorded', () => {
  for (const replaySpeedMax of [2, 4, 10]) {
    const clock = createClock();
    const pace = createPace({ replaySpeedMax }, clock);
    clock.pass(HOUR_MS);
    let sentMs = 0;
    while (sentMs < clock.nowMs()) {
      clock.pass(pace.waitMs(1_000));
      pace.spend(1_000);
      sentMs += 1_000;
    }
    const caughtUpMs = clock.nowMs() - HOUR_MS;
    const expectedMs = HOUR_MS / (replaySpeedMax - 1);
    assert.ok(
      Math.abs(caughtUpMs - expectedMs) <= 2 * RECORDED_MS_MAX,
      `${caughtUpMs} ms, not ${expectedMs}`,
    );
  }
});

test('0 is no limit', () => {
  const pace = createPace({ replaySpeedMax: 0 }, createClock());
  pace.spend(HOUR_MS);
  assert.equal(pace.waitMs(HOUR_MS), 0);
});

test('8,000 hosts that lost Kafka at one moment come back evenly, not in waves', () => {
  const seeded = createRandom(7);
  const retryWaitMsMax = 30_000;
  const backMs = 600_000;
  const reconnects = new Map<number, number>();
  for (let host = 0; host < 8_000; host++) {
    const backoff = createBackoff({ retryWaitMsMax }, { random: () => seeded.below(1e9) / 1e9 });
    let atMs = 0;
    while (atMs < backMs) atMs += backoff.nextMs();
    const second = Math.floor((atMs - backMs) / 1_000);
    reconnects.set(second, (reconnects.get(second) ?? 0) + 1);
  }
  const seconds = [...reconnects.keys()];
  assert.ok(seconds.every((second) => second >= 0 && second < retryWaitMsMax / 1_000));
  const most = Math.max(...reconnects.values());
  // Each comes at a random moment of a wait that began before: at most twice the even share falls into one second.
  assert.ok(most <= (2.2 * 8_000) / (retryWaitMsMax / 1_000), `${most} in one second`);
});

test('waits grow from failure to failure up to the limit, and begin anew when Kafka took something', () => {
  const backoff = createBackoff({ retryWaitMsMax: 5_000 }, { random: () => 1 });
  const six = () => Array.from({ length: 6 }, () => backoff.nextMs());
  assert.deepEqual(six(), [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  backoff.reset();
  assert.equal(backoff.nextMs(), 500);
});

/** Batches closed one every second, and after `gapAfter` of them a clock that jumps by `gapUs`. */
function backlog(batches: number, jump: { after?: number; byUs?: number } = {}) {
  const spool = createSpool();
  for (let index = 0; index < batches; index++) {
    const jumpedUs = index >= (jump.after ?? batches) ? (jump.byUs ?? 0) : 0;
    spool.batch(1, { batch_ts: NOW_US + index * 1_000_000 + jumpedUs });
  }
  return spool;
}

async function publishPaced(
  spool: ReturnType<typeof backlog>,
  count: number,
  { isTooLarge = () => false }: { readonly isTooLarge?: (request: readonly string[]) => boolean } = {},
) {
  const clock = createClock();
  const broker = createBroker();
  const sentAtMs: number[] = [];
  const done = Promise.withResolvers<void>();
  let sent = 0;
  broker.answer = (request) => {
    if (isTooLarge(request)) return 'too large';
    sentAtMs.push(clock.nowMs());
    sent += request.length;
    if (sent === count) done.resolve();
    return 'takes';
  };
  const publisher = publisherOn(spool, broker, { replaySpeedMax: 4, clock });
  publisher.start();
  await done.promise;
  await publisher.stop(60_000);
  return { clock, broker, sentAtMs };
}

test('a backlog goes out in requests of ten recorded seconds, as far apart as the speed says', async () => {
  const { broker, sentAtMs } = await publishPaced(backlog(61), 61);
  assert.deepEqual(
    broker.requests.map((request) => request.length),
    // The first batch of all has nothing before it.
    [11, 10, 10, 10, 10, 10],
  );
  assert.deepEqual(sentAtMs, [0, 2_500, 5_000, 7_500, 10_000, 12_500]);
});

test('another pace holds from the next wait on, and another ceiling from the next failure on', async () => {
  const clock = createClock();
  const broker = createBroker();
  const done = Promise.withResolvers<void>();
  let failures = 0;
  broker.answer = () => {
    if (broker.requests.length < 2) return 'takes';
    if (failures++ < 3) {
      if (failures === 1) publisher.configure({ retryWaitMsMax: 100, replaySpeedMax: 0 });
      return 'unreachable';
    }
    if (broker.requests.length === 5) done.resolve();
    return 'takes';
  };
  const publisher = publisherOn(backlog(61), broker, { replaySpeedMax: 4, clock });
  publisher.start();
  await done.promise;
  await publisher.stop(60_000);
  // Two waits at the old speed, three at half of the new ceiling, then none.
  assert.deepEqual(clock.waits, [2_500, 2_500, 50, 50, 50]);
});

test('a clock that was set while it was recorded costs one wait at most', async () => {
  for (const byUs of [86_400_000_000, -86_400_000_000]) {
    const { clock } = await publishPaced(backlog(20, { after: 10, byUs }), 20);
    assert.ok(clock.nowMs() <= 20_000, `${clock.nowMs()} ms`);
  }
});

test('batches of half a minute each go no faster than those of a second', async () => {
  const spool = createSpool();
  for (let index = 0; index < 10; index++) spool.batch(1, { batch_ts: NOW_US + index * 30_000_000 });
  const { sentAtMs } = await publishPaced(spool, 10);
  const [firstMs = 0, lastMs = 0] = [sentAtMs.at(1), sentAtMs.at(-1)];
  assert.equal(lastMs - firstMs, (8 * 30_000) / 4);
});

test('what goes in pieces waits for its turn once', async () => {
  const isTooLarge = (request: readonly string[]) => request.length > 1;
  const { clock, broker } = await publishPaced(backlog(21), 21, { isTooLarge });
  assert.equal(broker.requests.length, 21);
  assert.equal(clock.nowMs(), 2_500);
});

test('a stop does not wait for its turn: one request goes out, the rest waits for the next start', async () => {
  const spool = backlog(31);
  const broker = createBroker();
  const waiting = Promise.withResolvers<void>();
  const clock = {
    nowMs: () => 0,
    random: () => 0,
    // Time stands still, and the wait ends with the stop alone.
    wait: (_: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
        waiting.resolve();
      }),
  };
  const publisher = publisherOn(spool, broker, { replaySpeedMax: 4, clock });
  publisher.start();
  await waiting.promise;
  await publisher.stop(60_000);
  assert.deepEqual(broker.requests.flat().length, 21);
  await publisherOnce(spool, broker);
  assert.deepEqual(broker.requests.flat().length, 31);
  assert.equal(broker.requests.flat()[21], '22/1', 'what was not sent is not marked');
});

async function publisherOnce(spool: ReturnType<typeof backlog>, broker: ReturnType<typeof createBroker>) {
  const publisher = publisherOn(spool, broker, { agentEpoch: NOW_US + 1 });
  publisher.start();
  await publisher.stop(60_000);
}
