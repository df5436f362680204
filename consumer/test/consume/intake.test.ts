import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { frame } from '@tcptrail/schemas/single-object.ts';
import { pino } from 'pino';
import { datumOf } from '../../../test/spool-writer.ts';
import { createBatcher } from '../../src/batch/batcher.ts';
import { createIntake, type FetchedBatch } from '../../src/consume/intake.ts';
import { createMembership } from '../../src/consume/lease.ts';
import { noteOf, positionOf } from '../../src/consume/note.ts';
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
  change: {
    values?: readonly Buffer[];
    put?: () => Promise<void>;
    nowMs?: () => number;
    position?: { offset: string; metadata: string | null };
  } = {},
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
          origin: 't@id',
          positionOf: async () => positionOf(change.position ?? { offset: '10', metadata: noteOf() }),
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

test('rows keep the origin', async () => {
  const made = create();
  await made.take();
  assert.deepEqual([...new Set(made.ranges.map(({ origin }) => origin))], ['t@id']);
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

/** What is handed to an intake that lives on, one fetch after the other, of messages from an offset on. */
function createFetches(position: { offset: string; metadata: string | null }) {
  const log: string[] = [];
  const fences: (string | undefined)[] = [];
  const metrics = createMetrics();
  const membership = createMembership({ heldMs: 10_000 }, () => 0);
  membership.joined();
  let handler: RangeHandler = async () => [];
  const intake = createIntake(
    { heartbeatMs: HEARTBEAT_MS, yieldMsMax: YIELD_MS },
    {
      membership,
      ending: new AbortController().signal,
      log: pino({ level: 'silent' }),
      metrics,
      origin: 't@id',
      positionOf: async () => positionOf(position),
      createFill: () => createBatcher({ rowsMax: 100, bytesMax: 1e9, flushMs: 0 }),
      deadLetters: {
        put: async (letters) => void (letters.length > 0 && log.push(`letters ${letters.length}`)),
      },
      onCommitted() {},
      onStopped: () => log.push('stopped'),
      handler(range) {
        log.push(`range ${range.messages.map(({ offset }) => offset).join('-')}`);
        fences.push(range.fence?.begun);
        return handler(range);
      },
    },
  );
  return {
    log,
    fences,
    metrics,
    membership,
    set handler(next: RangeHandler) {
      handler = next;
    },
    fetch(first: number, values: readonly Buffer[]) {
      return intake({
        batch: {
          topic: 't',
          partition: 3,
          highWatermark: '99',
          messages: values.map((value, index) => ({ offset: String(first + index), key: null, value })),
        },
        heartbeat: async () => {},
        resolveOffset: (offset) => log.push(`resolve ${offset}`),
        async commitOffsetsIfNecessary({ topics }) {
          const { offset, metadata } = topics[0]?.partitions[0] ?? {};
          log.push(`commit ${offset} ${metadata}`);
        },
        pause() {
          log.push('pause');
          return () => {};
        },
      });
    },
  };
}

const BEGUN = { offset: '10', metadata: noteOf({ end: 13, plan: 'plan' }) };

test('what a former owner began is finished as the range that it was, however many fetches bring it', async () => {
  const made = createFetches(BEGUN);
  await made.fetch(10, [message()]);
  await made.fetch(11, [message(), message(), message(), message()]);
  assert.deepEqual(made.log, [
    'resolve 10',
    'range 10-11-12',
    'resolve 12',
    'commit 13 tcptrail 1',
    'range 13-14',
    'resolve 14',
    'commit 15 tcptrail 1',
  ]);
  assert.deepEqual(made.fences, ['plan', undefined]);
});

test('a range that is no longer whole is not taken for what was begun, and what is gone is counted', async () => {
  const made = createFetches(BEGUN);
  await made.fetch(12, [message(), message()]);
  assert.deepEqual(
    made.log.filter((line) => line.startsWith('range')),
    ['range 12', 'range 13'],
  );
  assert.deepEqual(made.fences, [undefined, undefined]);
  assert.equal((await made.metrics.expiredMessages.get()).values[0]?.value, 2);
});

test('a range is noted with its end at its first offset', async () => {
  const made = createFetches({ offset: '10', metadata: null });
  made.handler = async ({ fence }) => {
    assert.equal(fence?.isKnown, false);
    await fence?.note('plan');
    return [];
  };
  await made.fetch(10, [message(), Buffer.from('strange')]);
  assert.deepEqual(made.log, [
    'range 10',
    'commit 10 tcptrail 1 12 plan',
    'letters 1',
    'resolve 11',
    'commit 12 tcptrail 1',
  ]);
});

for (const code of ['STORE_ROWS_REFUSED', 'STORE_RANGE_TOO_LARGE'] as const) {
  test(`${code}: halves are stored, each with its dead letters and its commit before the next`, async () => {
    const made = createFetches({ offset: '10', metadata: noteOf() });
    made.handler = async ({ messages, origin, originPartition }) => {
      if (messages.length > 1) throw failure(code, 'no');
      const [one] = messages;
      if (one?.offset !== 10) return [];
      const { identity } = one;
      return [{ origin, originPartition, originOffset: 10, identity, reason: code, detail: '' }];
    };
    await made.fetch(10, [message(), message(), message()]);
    assert.deepEqual(made.log, [
      'range 10-11-12',
      'range 10',
      'letters 1',
      'resolve 10',
      'commit 11 tcptrail 1',
      'range 11-12',
      'range 11',
      'resolve 11',
      'commit 12 tcptrail 1',
      'range 12',
      'resolve 12',
      'commit 13 tcptrail 1',
    ]);
  });
}

test('messages before those that were read end the membership: the topic is asked for its id again', async () => {
  const made = createFetches({ offset: '10', metadata: noteOf() });
  await made.fetch(10, [message(), message()]);
  await assert.rejects(made.fetch(0, [message()]), {
    code: 'CONSUMER_TOPIC_REWOUND',
    message: /goes on at message 0, before 12/,
  });
});
