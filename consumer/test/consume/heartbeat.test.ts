import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { RangeHandler } from '../../src/consume/transport.ts';
import { HEARTBEAT_MS, HELD_MS, type MadeIntake, makeIntake, message, YIELD_MS } from './made-intake.ts';

/** Two ranges of one message each. */
const fetchTwo = (made: MadeIntake, handler: RangeHandler): Promise<void> => {
  made.handler = handler;
  return made.fetch(10, [message(), message()]);
};

const refusing = (type: string) => async () => {
  throw Object.assign(new Error(type), { type });
};

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function withTimers(act: () => Promise<void>): Promise<void> {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  try {
    await act();
  } finally {
    mock.timers.reset();
  }
}

test('a group that is joined anew while a range is stored ends its lease, and nothing is committed', async () => {
  const made = makeIntake();
  await fetchTwo(made, async ({ lease }) => {
    made.membership.joined();
    assert.equal(lease?.signal.aborted, true);
    return [];
  });
  assert.deepEqual(made.log, ['range 10']);
});

test('a lease that ran out by the clock commits nothing, even when the range was stored, and the member starts anew', async () => {
  let now = 0;
  const made = makeIntake({ nowMs: () => now });
  const fetched = fetchTwo(made, async () => {
    now = HELD_MS;
    return [];
  });
  await assert.rejects(fetched, { code: 'CONSUMER_PARTITION_LOST' });
  assert.deepEqual(made.log, ['range 10']);
});

test('heartbeats go on while a range is stored', () =>
  withTimers(async () => {
    let beats = 0;
    const made = makeIntake();
    made.heartbeat = async () => void beats++;
    await fetchTwo(made, async ({ isFirst }) => {
      if (isFirst) mock.timers.tick(3 * HEARTBEAT_MS);
      return [];
    });
    assert.equal(beats, 3);
  }));

test('when the group wants the partition back the range in hand is finished and committed, the next is not begun', () =>
  withTimers(async () => {
    const made = makeIntake();
    made.heartbeat = refusing('REBALANCE_IN_PROGRESS');
    await fetchTwo(made, async ({ lease }) => {
      mock.timers.tick(HEARTBEAT_MS);
      await settled();
      assert.equal(lease?.signal.aborted, false);
      return [];
    });
    assert.deepEqual(made.log, ['range 10', 'resolve 10', 'commit 11']);
  }));

test('a range that takes too long after that loses its lease', () =>
  withTimers(async () => {
    const made = makeIntake();
    made.heartbeat = refusing('REBALANCE_IN_PROGRESS');
    await fetchTwo(made, async ({ lease }) => {
      mock.timers.tick(HEARTBEAT_MS);
      await settled();
      mock.timers.tick(YIELD_MS);
      assert.equal(lease?.signal.aborted, true);
      return [];
    });
    assert.deepEqual(made.log, ['range 10']);
  }));

for (const type of ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']) {
  test(`a heartbeat answered with ${type} ends the lease at once`, () =>
    withTimers(async () => {
      const made = makeIntake();
      made.heartbeat = refusing(type);
      await fetchTwo(made, async ({ lease }) => {
        mock.timers.tick(HEARTBEAT_MS);
        await settled();
        assert.equal(lease?.signal.aborted, true);
        return [];
      });
      assert.deepEqual(made.log, ['range 10']);
    }));
}

for (const type of ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']) {
  test(`${type} that is heard when the range is done does not touch what is joined later`, () =>
    withTimers(async () => {
      const answer = Promise.withResolvers<void>();
      const made = makeIntake();
      made.heartbeat = () => answer.promise;
      await fetchTwo(made, async ({ isFirst }) => {
        if (isFirst) mock.timers.tick(HEARTBEAT_MS);
        return [];
      });
      made.membership.joined();
      const lease = made.membership.lease();
      answer.reject(Object.assign(new Error(type), { type }));
      await settled();
      mock.timers.tick(10 * YIELD_MS);
      lease.assertHeld();
    }));
}
