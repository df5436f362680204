import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { frame } from '@tcptrail/schemas/single-object.ts';
import { pino } from 'pino';
import { datumOf } from '../../../test/spool-writer.ts';
import { createBatcher } from '../../src/batch/batcher.ts';
import { createIntake, type FetchedBatch } from '../../src/consume/intake.ts';
import { createMembership } from '../../src/consume/lease.ts';
import type { MessageRange, ParkedBatch, RangeHandler } from '../../src/consume/transport.ts';
import { failure } from '../../src/errors.ts';
import { createMetrics } from '../../src/metrics.ts';

const HEARTBEAT_MS = 100;
const YIELD_MS = 1_000;
const message = () => Buffer.from(frame(datumOf({}, [{ seq: 1 }])));

interface Made {
  /** What happened, in order: `range 10-11`, `letters 1`, `commit 12`, `pause`. */
  readonly log: string[];
  readonly membership: ReturnType<typeof createMembership>;
  readonly ranges: MessageRange[];
  readonly ending: AbortController;
  take(handler?: RangeHandler, heartbeat?: () => Promise<void>): Promise<void>;
}

/** An intake over a partition that brought two messages, a range each. */
function create(
  change: { values?: readonly Buffer[]; put?: () => Promise<void>; nowMs?: () => number } = {},
): Made {
  const log: string[] = [];
  const ranges: MessageRange[] = [];
  const ending = new AbortController();
  const membership = createMembership({ heldMs: 10_000 }, change.nowMs ?? (() => 0));
  membership.joined();
  const values = change.values ?? [message(), message()];
  return {
    log,
    membership,
    ranges,
    ending,
    take(handler = async () => [], heartbeat = async () => {}) {
      const intake = createIntake(
        { heartbeatMs: HEARTBEAT_MS, yieldMsMax: YIELD_MS },
        {
          membership,
          ending: ending.signal,
          log: pino({ level: 'silent' }),
          metrics: createMetrics(),
          originOf: (topic) => `${topic}@cluster`,
          createFill: () => createBatcher({ rowsMax: 1, bytesMax: 1e9, flushMs: 0 }),
          deadLetters: {
            async put(letters) {
              if (letters.length > 0) log.push(`letters ${letters.length}`);
              await change.put?.();
            },
          },
          onCommitted() {},
          onStopped: (error, partition) => log.push(`stopped ${partition} ${error.code}`),
          handler(range) {
            ranges.push(range);
            log.push(`range ${range.messages.map(({ offset }) => offset).join('-')}`);
            return handler(range);
          },
        },
      );
      let beats = 0;
      const fetched: FetchedBatch = {
        batch: {
          topic: 't',
          partition: 3,
          highWatermark: '99',
          messages: values.map((value, index) => ({ offset: String(10 + index), key: null, value })),
        },
        // The one before the first range is answered.
        async heartbeat() {
          if (beats++ > 0) await heartbeat();
        },
        resolveOffset: (offset) => log.push(`resolve ${offset}`),
        async commitOffsetsIfNecessary({ topics }) {
          log.push(`commit ${topics[0]?.partitions[0]?.offset}`);
        },
        pause() {
          log.push('pause');
          return () => {};
        },
      };
      return intake(fetched);
    },
  };
}

const refusing = (type: string) => async () => {
  throw Object.assign(new Error(type), { type });
};

test('each range is stored, then resolved and committed behind its last message; only the first is known as first', async () => {
  const made = create();
  await made.take();
  assert.deepEqual(made.log, ['range 10', 'resolve 10', 'commit 11', 'range 11', 'resolve 11', 'commit 12']);
  await made.take();
  made.membership.joined();
  await made.take();
  assert.deepEqual(
    made.ranges.map(({ isFirst }) => isFirst),
    [true, false, false, false, true, false],
  );
});

test('rows keep the name of the topic and its cluster', async () => {
  const made = create();
  await made.take();
  assert.deepEqual([...new Set(made.ranges.map(({ origin }) => origin))], ['t@cluster']);
});

test('what was parked is a dead letter before its offset is committed', async () => {
  const made = create({ values: [Buffer.from('strange')] });
  const parkedToo: ParkedBatch[] = [];
  await made.take(async () => parkedToo);
  assert.deepEqual(made.log, ['range ', 'letters 1', 'resolve 10', 'commit 11']);
});

test('without its dead letter nothing is committed, and kafkajs hears of it', async () => {
  const made = create({ put: async () => Promise.reject(failure('CLICKHOUSE_BUSY', 'no')) });
  await assert.rejects(made.take(), { code: 'CLICKHOUSE_BUSY' });
  assert.deepEqual(made.log, ['range 10']);
});

test('a group that is joined anew while a range is stored ends its lease, and nothing is committed', async () => {
  const made = create();
  await made.take(async ({ lease }) => {
    made.membership.joined();
    assert.equal(lease?.signal.aborted, true);
    return [];
  });
  assert.deepEqual(made.log, ['range 10']);
});

test('a lease that ran out by the clock commits nothing, even when the range was stored', async () => {
  let now = 0;
  const made = create({ nowMs: () => now });
  await made.take(async () => {
    now = 10_000;
    return [];
  });
  assert.deepEqual(made.log, ['range 10']);
});

test('heartbeats go on while a range is stored', async () => {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  try {
    let beats = 0;
    await create().take(
      async ({ isFirst }) => {
        if (isFirst) mock.timers.tick(3 * HEARTBEAT_MS);
        return [];
      },
      async () => void beats++,
    );
    assert.equal(beats, 3);
  } finally {
    mock.timers.reset();
  }
});

test('when the group wants the partition back the range in hand is finished and committed, the next is not begun', async () => {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  try {
    const made = create();
    await made.take(async ({ lease }) => {
      mock.timers.tick(HEARTBEAT_MS);
      await Promise.resolve();
      await Promise.resolve();
      assert.equal(lease?.signal.aborted, false);
      return [];
    }, refusing('REBALANCE_IN_PROGRESS'));
    assert.deepEqual(made.log, ['range 10', 'resolve 10', 'commit 11']);
  } finally {
    mock.timers.reset();
  }
});

test('a range that takes too long after that loses its lease', async () => {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  try {
    const made = create();
    await made.take(async ({ lease }) => {
      mock.timers.tick(HEARTBEAT_MS);
      await new Promise((resolve) => setImmediate(resolve));
      mock.timers.tick(YIELD_MS);
      assert.equal(lease?.signal.aborted, true);
      return [];
    }, refusing('REBALANCE_IN_PROGRESS'));
    assert.deepEqual(made.log, ['range 10']);
  } finally {
    mock.timers.reset();
  }
});

for (const type of ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']) {
  test(`a heartbeat answered with ${type} ends the lease at once`, async () => {
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    try {
      const made = create();
      await made.take(async ({ lease }) => {
        mock.timers.tick(HEARTBEAT_MS);
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal(lease?.signal.aborted, true);
        return [];
      }, refusing(type));
      assert.deepEqual(made.log, ['range 10']);
    } finally {
      mock.timers.reset();
    }
  });
}

for (const type of ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']) {
  test(`${type} that is heard when the range is done does not touch what is joined later`, async () => {
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    try {
      const answer = Promise.withResolvers<void>();
      const made = create();
      await made.take(
        async ({ isFirst }) => {
          if (isFirst) mock.timers.tick(HEARTBEAT_MS);
          return [];
        },
        () => answer.promise,
      );
      made.membership.joined();
      const lease = made.membership.lease();
      answer.reject(Object.assign(new Error(type), { type }));
      await new Promise((resolve) => setImmediate(resolve));
      mock.timers.tick(10 * YIELD_MS);
      lease.assertHeld();
    } finally {
      mock.timers.reset();
    }
  });
}

test('a ledger that does not agree stops the partition, told once, and nothing is committed', async () => {
  const made = create();
  await made.take(async () => Promise.reject(failure('STORE_LEDGER', 'no')));
  assert.deepEqual(made.log, ['range 10', 'pause', 'stopped 3 STORE_LEDGER']);
});

test('at the end the range in hand is finished and no other begun', async () => {
  const made = create();
  await made.take(async () => {
    made.ending.abort();
    return [];
  });
  assert.deepEqual(made.log, ['range 10', 'resolve 10', 'commit 11']);
});
