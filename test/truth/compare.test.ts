import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between } from './check.ts';
import { compare } from './compare.ts';
import type { Short } from './excuses.ts';
import type { Expectation } from './expected.ts';
import type { Row } from './rows.ts';
import type { Untold } from './untold.ts';

const NAMESPACE = 7;
const UNTOLD: Untold = { resetReasons: false, failedRetransmits: true };
const close: Row = {
  kind: 'close',
  socket_cookie: 5,
  generation: 1,
  verdict: 'closed_local',
  bytes_sent: 10,
  total_retrans: 0,
  retrans_failed: 0,
  ...Object.fromEntries(
    ['syn', 'syn_ack', 'rto', 'loss_recovery', 'fast', 'tail_loss_probe', 'other'].map((cause) => [
      `retrans_${cause}`,
      0,
    ]),
  ),
};
const reset: Row = { kind: 'reset', socket_cookie: 5, generation: 1, reset_direction: 'sent' };
const retransmit: Row = {
  kind: 'retransmit',
  socket_cookie: 5,
  generation: 1,
  retransmit_cause: 'rto',
  retransmit_segments: 2,
  transmit_failed: false,
};

const wanted = (kind: string, fields: Expectation['fields'], [least, most] = [1, 1]): Expectation => ({
  kind,
  namespace: NAMESPACE,
  key: { socket_cookie: 5 },
  fields,
  least: least ?? 1,
  most: most ?? 1,
});
const CLOSE = wanted('close', { verdict: 'closed_local', bytes_sent: between(10, 12) });

const look = (rows: readonly Row[], expectations: readonly Expectation[], snmp = {}, untold?: Untold) =>
  compare(expectations, [{ namespace: NAMESPACE, rows, snmp }], untold);

const linesOf = (short: readonly Short[]): string => short.map(({ line }) => line).join();

test('a row that is as expected is neither wrong, missing nor invented', () => {
  const { rows, wrong, missing, invented } = look([close], [CLOSE]);
  assert.deepEqual({ rows, wrong, missing, invented }, { rows: 1, wrong: [], missing: [], invented: [] });
});

test('a field that is not as expected makes the row wrong, and is named with both values', () => {
  const { wrong } = look([{ ...close, bytes_sent: 13 }], [CLOSE]);
  assert.equal(wrong.length, 1);
  assert.match(wrong[0] ?? '', /bytes_sent: expected 10 to 12, got 13/);
});

test('a field that is absent is wrong', () => {
  const { verdict: _verdict, ...rest } = close;
  assert.match(look([rest], [CLOSE]).wrong[0] ?? '', /verdict: expected closed_local, got \(absent\)/);
});

test('a row that is late, and knows no more than it can then, is late; one that is wrong besides is wrong', () => {
  const expected = wanted('close', { late: false, state: 'last_ack', bytes_sent: 10 });
  const late = { ...close, late: true, state: 'close' };
  const found = look([late], [expected]);
  assert.deepEqual([found.wrong, found.late.length], [[], 1]);
  assert.match(found.late[0] ?? '', /late: expected false, got true; state: expected last_ack, got close/);
  assert.equal(look([{ ...late, bytes_sent: 9 }], [expected]).wrong.length, 1);
  assert.equal(look([{ ...late, late: false }], [expected]).wrong.length, 1);
});

test('a row that does not come is missing, a row that nobody expects is invented', () => {
  assert.equal(look([], [CLOSE]).missing.length, 1);
  assert.equal(look([close], []).invented.length, 1);
});

test('a second row like the one expected is invented', () => {
  assert.equal(look([close, close], [CLOSE]).invented.length, 1);
});

test('a row of the scenario in another namespace is invented', () => {
  const { rows, invented } = compare([], [], undefined, [{ ...close, network_namespace: 0, ts: 3 }]);
  assert.deepEqual([rows, invented.length], [1, 1]);
  assert.match(invented[0] ?? '', /in network namespace 0 at 3/);
});

test('of two expectations a row takes the one that says most', () => {
  const any = wanted('close', {}, [0, 9]);
  assert.deepEqual(look([close], [any, CLOSE]).missing, []);
});

test('retransmissions that nobody saw are short, for their own row and for the namespace', () => {
  const expected = [CLOSE, wanted('retransmit', {}, [0, 9])];
  const unseen = { ...close, retrans_rto: 2, retrans_other: 1, total_retrans: 3 };
  const { wrong, short } = look([unseen, retransmit], expected, { RetransSegs: 3 });
  assert.deepEqual(wrong, []);
  for (const what of ['retrans_other', 'total_retrans', 'RetransSegs'])
    assert.match(linesOf(short), RegExp(what));
  const wrongTotal = { ...unseen, total_retrans: 1 };
  assert.match(look([wrongTotal, retransmit], expected, { RetransSegs: 3 }).wrong.join(), /total_retrans/);
});

test('failed retransmissions that nobody saw are short', () => {
  const expected = [CLOSE, wanted('retransmit', {}, [0, 9])];
  const failed = { ...retransmit, transmit_failed: true };
  const last = { ...close, retrans_failed: 2, total_retrans: 2 };
  const failing = (count: number) =>
    look([last, failed], expected, { RetransSegs: count, TCPRetransFail: count });
  assert.doesNotMatch(failing(2).wrong.join() + linesOf(failing(2).short), /: failed:/);
  assert.match(linesOf(failing(3).short), /: failed: expected/);
});

test('failed retransmissions without rows are as many as the kernel counted, and under no cause', () => {
  const expected = [CLOSE, wanted('retransmit', {}, [0, 9])];
  const last = { ...close, retrans_rto: 2, retrans_other: 300, total_retrans: 302 };
  const failing = (count: number) =>
    look([last, retransmit], expected, { RetransSegs: 302, TCPRetransFail: count }, UNTOLD).wrong;
  assert.deepEqual(failing(300), []);
  assert.match(failing(290).join(), /retrans_other: expected 0 to 290, got 300/);
  assert.match(failing(310).join(), /RetransSegs: expected 302, got 312/);
});

test('resets sent sum up to OutRsts', () => {
  const expected = [CLOSE, wanted('reset', {})];
  assert.deepEqual(look([close, reset], expected, { OutRsts: 1 }).wrong, []);
  assert.match(linesOf(look([close, reset], expected, { OutRsts: 2 }).short), /OutRsts.*expected 2, got 1/);
  assert.match(look([close, reset], expected, { OutRsts: 0 }).wrong.join(), /OutRsts.*expected 0, got 1/);
});

test('retransmissions sum up to the counters of the connection and of the namespace', () => {
  const expected = [CLOSE, wanted('retransmit', {}, [0, 9])];
  const told = { ...close, retrans_rto: 2, total_retrans: 2 };
  assert.deepEqual(look([told, retransmit], expected, { RetransSegs: 2 }).wrong, []);
  assert.match(look([close, retransmit], expected, { RetransSegs: 2 }).wrong.join(), /retrans_rto/);
  assert.match(linesOf(look([told, retransmit], expected, { RetransSegs: 3 }).short), /RetransSegs/);
  assert.match(look([told, retransmit], expected, { RetransSegs: 1 }).wrong.join(), /RetransSegs/);
  assert.match(look([told], expected, { RetransSegs: 2 }).wrong.join(), /retrans_rto: expected 0, got 2/);
});

test('a failed connection sums up its retransmissions like one that closed', () => {
  const fail = { ...close, kind: 'fail' };
  const expected = [wanted('fail', {}), wanted('retransmit', {}, [0, 9])];
  const told = { ...fail, retrans_rto: 2, total_retrans: 2 };
  assert.deepEqual(look([told, retransmit], expected, { RetransSegs: 2 }).wrong, []);
  assert.match(look([fail, retransmit], expected, { RetransSegs: 2 }).wrong.join(), /retrans_rto/);
});

test('what is expected in another namespace, or of another connection, is not here', () => {
  const elsewhere = look([close], [{ ...CLOSE, namespace: NAMESPACE + 1 }]);
  const other = look([close], [{ ...CLOSE, key: { socket_cookie: 6 } }]);
  for (const { missing, invented } of [elsewhere, other])
    assert.deepEqual([missing.length, invented.length], [1, 1]);
});
