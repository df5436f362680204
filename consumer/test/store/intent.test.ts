import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Intent, intendedOf, intentText, readIntent, tokenOf } from '../../src/store/intent.ts';
import type { Expected } from '../../src/store/plan.ts';

const INTENT: Intent = {
  id: 'i',
  digest: 'd',
  parked: [12],
  inserts: [
    { table: 'tcp_events', day: 20_000, rows: 7, attempt: 0, without: [] },
    { table: 'tcp_batches', day: 20_001, rows: 2, attempt: 1, without: [11] },
  ],
};

test('an intent is read back as it was noted', () => {
  assert.deepEqual(readIntent(intentText(INTENT)), INTENT);
});

test('what is no intent is not read as one', () => {
  for (const text of [
    '',
    'x',
    '{}',
    '[]',
    '[1]',
    '[["i"]]',
    '[["i",1]]',
    '[["i","d",0.5]]',
    '["i","d",[0,1,1,0]]',
    '[["i","d"],[9,1,1,0]]',
    '[["i","d"],[0,1,1]]',
    '[["i","d"],[0,1,1.5,0]]',
    '[["i","d"],1]',
  ])
    assert.equal(readIntent(text), undefined, text);
});

test('messages whose rows are stored already are named, where they have rows of that day', () => {
  const days = (rows: Record<number, number>) =>
    new Map(Object.entries(rows).map(([day, count]) => [Number(day), count]));
  const all: Expected = {
    tcp_events: new Map([
      [10, days({ 1: 5, 2: 1 })],
      [11, days({ 1: 4 })],
    ]),
    tcp_batches: new Map([
      [10, days({ 1: 1 })],
      [11, days({ 1: 1 })],
    ]),
  };
  const inserts = intendedOf(all, [
    { table: 'tcp_events', day: 1, offsets: new Set([10]), rows: 5 },
    { table: 'tcp_events', day: 2, offsets: new Set([10]), rows: 1 },
  ]);
  assert.deepEqual(
    inserts.map(({ day, without }) => [day, without]),
    [
      [1, [11]],
      [2, []],
    ],
  );
});

test('one that brokers would not keep is refused', () => {
  const [insert] = INTENT.inserts;
  assert.ok(insert);
  const without = Array.from({ length: 900 }, (_, index) => 100_000 + index);
  assert.throws(() => intentText({ ...INTENT, inserts: [{ ...insert, without }] }), {
    code: 'STORE_RANGE_TOO_LARGE',
  });
});

test('tokens differ in whatever makes an INSERT another one, and in nothing else', () => {
  const [insert] = INTENT.inserts;
  assert.ok(insert);
  const token = tokenOf(INTENT, insert);
  assert.equal(tokenOf({ ...INTENT, digest: 'e' }, { ...insert, rows: 99 }), token);
  const others = [
    tokenOf({ ...INTENT, id: 'j' }, insert),
    tokenOf(INTENT, { ...insert, table: 'tcp_batches' }),
    tokenOf(INTENT, { ...insert, day: 20_001 }),
    tokenOf(INTENT, { ...insert, attempt: 1 }),
  ];
  assert.equal(new Set([token, ...others]).size, others.length + 1);
});
