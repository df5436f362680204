import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { noteOf } from '../../src/consume/note.ts';
import { failure } from '../../src/errors.ts';
import { makeIntake, message } from './made-intake.ts';

const STRANGE = Buffer.from('strange');
const BEGUN = { position: { offset: '10', metadata: noteOf('id', { end: 13, plan: 'plan' }) }, rowsMax: 100 };

test('each range is stored, then resolved and committed behind its last message; only the first is known as first', async () => {
  const made = makeIntake();
  await made.fetch(10, [message(), message()]);
  assert.deepEqual(made.log, ['range 10', 'resolve 10', 'commit 11', 'range 11', 'resolve 11', 'commit 12']);
  await made.fetch(12, [message(), message()]);
  made.membership.joined();
  await made.fetch(14, [message(), message()]);
  assert.deepEqual(
    made.ranges.map(({ isFirst }) => isFirst),
    [true, false, false, false, true, false],
  );
});

test('rows keep the origin', async () => {
  const made = makeIntake();
  await made.fetch(10, [message(), message()]);
  assert.deepEqual([...new Set(made.ranges.map(({ origin }) => origin))], ['t@id']);
});

test('what was parked is a dead letter before its offset is committed', async () => {
  const made = makeIntake();
  await made.fetch(10, [STRANGE]);
  assert.deepEqual(made.log, ['range ', 'letters 1', 'resolve 10', 'commit 11']);
});

test('without its dead letter nothing is committed, and the partition comes again from there', async () => {
  let isRefused = true;
  const put = async () => {
    if (isRefused) throw new AppError('KAFKA_MESSAGE_TOO_LARGE', 'no');
  };
  const made = makeIntake({ put });
  await assert.rejects(made.fetch(10, [STRANGE, message()]), {
    code: 'CONSUMER_LETTER_REFUSED',
    message: /partition 3 waits, .*: no$/,
  });
  assert.deepEqual(made.log.splice(0), ['range 11', 'letters 1', 'seek 3 10']);
  isRefused = false;
  await made.fetch(10, [STRANGE, message()]);
  assert.deepEqual(made.log, ['range 11', 'letters 1', 'resolve 11', 'commit 12']);
});

test('what was begun, and whose dead letters are refused, comes again whole, however many fetches brought it', async () => {
  let isRefused = true;
  const put = async () => {
    if (isRefused) throw new AppError('KAFKA_MESSAGE_TOO_LARGE', 'no');
  };
  const made = makeIntake({ ...BEGUN, put });
  await made.fetch(10, [STRANGE]);
  await assert.rejects(made.fetch(11, [message(), message()]), { code: 'CONSUMER_LETTER_REFUSED' });
  assert.deepEqual(made.log.splice(0), ['resolve 10', 'range 11-12', 'letters 1', 'seek 3 10']);
  isRefused = false;
  await made.fetch(10, [STRANGE, message(), message()]);
  assert.deepEqual(made.log, ['range 11-12', 'letters 1', 'resolve 12', 'commit 13']);
  assert.deepEqual(
    made.ranges.map(({ fence }) => fence?.begun),
    ['plan', undefined],
  );
});

test('a ledger that does not agree stops the partition, told once, and nothing is committed', async () => {
  const made = makeIntake();
  made.handler = async () => Promise.reject(failure('STORE_LEDGER', 'no'));
  await made.fetch(10, [message(), message()]);
  assert.deepEqual(made.log, ['range 10', 'pause', 'stopped 3 STORE_LEDGER']);
});

test('at the end the range in hand is finished and no other begun', async () => {
  const made = makeIntake();
  made.handler = async () => {
    made.ending.abort();
    return [];
  };
  await made.fetch(10, [message(), message()]);
  assert.deepEqual(made.log, ['range 10', 'resolve 10', 'commit 11']);
});

test('what a former owner began is finished as the range that it was, however many fetches bring it', async () => {
  const made = makeIntake(BEGUN);
  await made.fetch(10, [message()]);
  await made.fetch(11, [message(), message(), message(), message()]);
  assert.deepEqual(made.log, [
    'resolve 10',
    'range 10-11-12',
    'resolve 12',
    'commit 13',
    'range 13-14',
    'resolve 14',
    'commit 15',
  ]);
  assert.deepEqual(
    made.ranges.map(({ fence }) => fence?.begun),
    ['plan', undefined],
  );
});

test('a range that is no longer whole is not taken for what was begun, and what is gone is counted', async () => {
  const made = makeIntake(BEGUN);
  await made.fetch(12, [message(), message()]);
  assert.deepEqual(
    made.log.filter((line) => line.startsWith('range')),
    ['range 12', 'range 13'],
  );
  assert.deepEqual(
    made.ranges.map(({ fence }) => fence?.begun),
    [undefined, undefined],
  );
  assert.equal((await made.metrics.expiredMessages.get()).values[0]?.value, 2);
});

test('a range is noted with its end at its first offset', async () => {
  const made = makeIntake({ position: { offset: '10', metadata: null }, rowsMax: 100 });
  made.handler = async ({ fence }) => {
    assert.equal(fence?.isKnown, false);
    await fence?.note('plan');
    return [];
  };
  await made.fetch(10, [message(), STRANGE]);
  assert.deepEqual(made.log, [
    'range 10',
    'commit 10 tcptrail 2 id 12 plan',
    'letters 1',
    'resolve 11',
    'commit 12',
  ]);
});

const HALVES = [
  'range 10-11-12',
  'range 10',
  'letters 1',
  'resolve 10',
  'commit 11',
  'range 11-12',
  'range 11',
  'resolve 11',
  'commit 12',
  'range 12',
  'resolve 12',
  'commit 13',
];
for (const code of ['STORE_ROWS_REFUSED', 'STORE_RANGE_TOO_LARGE'] as const) {
  test(`${code}: halves are stored, each with its dead letters and its commit before the next`, async () => {
    const made = makeIntake({ rowsMax: 100 });
    made.handler = async ({ messages, origin, originPartition }) => {
      if (messages.length > 1) throw failure(code, 'no');
      const [one] = messages;
      if (one?.offset !== 10) return [];
      const { identity } = one;
      return [{ origin, originPartition, originOffset: 10, identity, reason: code, detail: '' }];
    };
    await made.fetch(10, [message(), message(), message()]);
    assert.deepEqual(made.log, HALVES);
  });
}

test('a note that the brokers do not keep halves the range; one of a single message says what to set', async () => {
  const made = makeIntake({ rowsMax: 100 });
  made.handler = async ({ messages, fence }) => {
    await fence?.note('x'.repeat(10 * messages.length));
    return [];
  };
  made.commit = async (note) => {
    if (note.length <= 30) return;
    throw Object.assign(new Error('too large'), { type: 'OFFSET_METADATA_TOO_LARGE' });
  };
  await made.fetch(10, [message(), message()]);
  assert.deepEqual(
    made.log.filter((line) => /^(range|commit 1. tcptrail)/.test(line)),
    [
      'range 10-11',
      'range 10',
      'commit 10 tcptrail 2 id 11 xxxxxxxxxx',
      'range 11',
      'commit 11 tcptrail 2 id 12 xxxxxxxxxx',
    ],
  );
  made.handler = async ({ fence }) => {
    await fence?.note('x'.repeat(100));
    return [];
  };
  await assert.rejects(made.fetch(12, [message()]), {
    code: 'STORE_RANGE_TOO_LARGE',
    message: /do not keep the 117 bytes .*set offset\.metadata\.max\.bytes=4096/,
  });
});

test('messages before those that were read end the membership: the brokers lost some', async () => {
  const made = makeIntake({ rowsMax: 100 });
  await made.fetch(10, [message(), message()]);
  await assert.rejects(made.fetch(0, [message()]), {
    code: 'CONSUMER_TOPIC_REWOUND',
    message: /goes on at message 0, before 12/,
  });
});

test('nothing is stored of what may be of another topic of that name', async () => {
  const made = makeIntake({ rowsMax: 100 });
  made.assertSameTopic = async () => {
    throw failure('CONSUMER_TOPIC_ANEW', 'no');
  };
  await assert.rejects(made.fetch(10, [message()]), { code: 'CONSUMER_TOPIC_ANEW' });
  assert.deepEqual(made.log, []);
});

test('behind a topic that was deleted the one of its name is read from the beginning, once', async () => {
  const made = makeIntake({ rowsMax: 100, position: { offset: '10', metadata: noteOf('former') } });
  await made.fetch(10, [message(), message()]);
  assert.deepEqual(made.log, ['seek 3 0']);
  await made.fetch(0, [message(), message()]);
  assert.deepEqual(made.log.slice(1), ['range 0-1', 'resolve 1', 'commit 2']);
  assert.equal(made.ranges[0]?.fence?.isKnown, true);
});
