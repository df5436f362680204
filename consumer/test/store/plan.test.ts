import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertStored, type Expected, planInserts } from '../../src/store/plan.ts';

const DAY = 20_000;
const span = { origin: 'spool:h:1', originPartition: 0, first: 1, last: 2 };
const expected: Expected = {
  tcp_events: new Map([
    [1, new Map([[DAY, 10]])],
    [
      2,
      new Map([
        [DAY, 5],
        [DAY + 1, 3],
      ]),
    ],
  ]),
  tcp_batches: new Map([
    [1, new Map([[DAY, 1]])],
    [2, new Map([[DAY + 1, 1]])],
  ]),
};

test('one INSERT a table and day, events first', () => {
  const plan = planInserts(expected).map(({ table, day, offsets, rows }) => [
    table,
    day,
    [...offsets].join(),
    rows,
  ]);
  assert.deepEqual(plan, [
    ['tcp_events', DAY, '1,2', 15],
    ['tcp_events', DAY + 1, '2', 3],
    ['tcp_batches', DAY, '1', 1],
    ['tcp_batches', DAY + 1, '2', 1],
  ]);
});

test('what the ledger holds is not inserted again', () => {
  const stored: Expected = {
    tcp_events: new Map([
      [1, new Map([[DAY, 10]])],
      [2, new Map([[DAY, 5]])],
    ]),
    tcp_batches: new Map([[1, new Map([[DAY, 1]])]]),
  };
  const plan = planInserts(expected, stored).map(({ table, day, offsets }) => [
    table,
    day,
    [...offsets].join(),
  ]);
  assert.deepEqual(plan, [
    ['tcp_events', DAY + 1, '2'],
    ['tcp_batches', DAY + 1, '2'],
  ]);
});

test('a part of a batch in the ledger is an alarm: nothing is inserted on top', () => {
  const stored: Expected = { tcp_events: new Map([[1, new Map([[DAY, 9]])]]), tcp_batches: new Map() };
  assert.throws(() => planInserts(expected, stored), {
    code: 'STORE_LEDGER',
    message: /run 'tcptrail verify', .*docs\/operations\.md/,
  });
});

test('the ledger must hold exactly what was to be stored, on every day', () => {
  const right = {
    tcp_events: new Map([
      [DAY, 15],
      [DAY + 1, 3],
    ]),
    tcp_batches: new Map([
      [DAY, 1],
      [DAY + 1, 1],
    ]),
  };
  const at = { span, oldestDay: DAY - 5 };
  assertStored(expected, right, at);
  for (const [day, rows] of [
    [DAY, 14],
    [DAY, 16],
    [DAY + 2, 1],
  ] as const) {
    const wrong = { ...right, tcp_events: new Map([...right.tcp_events, [day, rows]]) };
    assert.throws(() => assertStored(expected, wrong, at), { code: 'STORE_LEDGER' }, `day ${day}: ${rows}`);
  }
});

test('days that may have aged away may hold less, never more', () => {
  const at = { span, oldestDay: DAY + 5 };
  assertStored(expected, { tcp_events: new Map(), tcp_batches: new Map() }, at);
  const more = { tcp_events: new Map([[DAY, 16]]), tcp_batches: new Map() };
  assert.throws(() => assertStored(expected, more, at), { code: 'STORE_LEDGER' });
});
