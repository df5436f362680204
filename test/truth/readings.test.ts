import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holds } from './check.ts';
import type { Fields } from './expected.ts';
import { fieldsAtRetransmission, grownFields, stateAtRetransmission } from './readings.ts';
import type { Value } from './rows.ts';

const MS = 1_000;
const reading = (atMs: number, info: Record<string, number>) => ({
  at: { before: atMs * MS, after: atMs * MS },
  info: { state: 1, segs_in: 7, ca_state: 0, rtt: 50, snd_cwnd: 10, total_retrans: 0, ...info },
});
const QUIET = reading(10, { bytes_sent: 1_000 });
const TIMED_OUT = reading(300, { bytes_sent: 2_000, ca_state: 4, snd_cwnd: 1, total_retrans: 1 });
const row = (fields: Record<string, Value> = {}) => ({
  ts: 200 * MS,
  total_retrans: 1,
  retransmit_cause: 'rto',
  ...fields,
});

function isRight(fields: Fields, name: string, value: Value, of = row()): boolean {
  const wanted = fields[name];
  assert.ok(wanted !== undefined);
  return holds(wanted, value, of);
}

test('what grows lies between TCP_INFO read before and after', () => {
  const fields = fieldsAtRetransmission([QUIET, TIMED_OUT]);
  assert.deepEqual(
    [999, 1_000, 2_000, 2_001].map((bytes) => isRight(fields, 'tcp_bytes_sent', bytes)),
    [false, true, true, false],
  );
});

test('with no segment from the peer between the two, what only the peer changes is known', () => {
  const fields = fieldsAtRetransmission([QUIET, TIMED_OUT]);
  assert.deepEqual([isRight(fields, 'rtt_us', 50), isRight(fields, 'rtt_us', 400)], [true, false]);
  const answered = fieldsAtRetransmission([QUIET, reading(300, { segs_in: 8 })]);
  assert.equal(isRight(answered, 'rtt_us', 400), true);
});

test('the last retransmission before a reading has its window and state, an earlier one has not', () => {
  const fields = fieldsAtRetransmission([QUIET, TIMED_OUT]);
  assert.deepEqual([isRight(fields, 'snd_cwnd', 1), isRight(fields, 'snd_cwnd', 10)], [true, false]);
  assert.deepEqual([isRight(fields, 'ca_state', 'loss'), isRight(fields, 'ca_state', 'open')], [true, false]);
  const earlier = row({ total_retrans: 0, retransmit_cause: 'tail_loss_probe' });
  assert.equal(isRight(fields, 'snd_cwnd', 10, earlier), true);
  assert.equal(isRight(fields, 'ca_state', 'loss', earlier), false);
});

test('a reading at the time of the row is neither before nor after it', () => {
  const fields = fieldsAtRetransmission([reading(200, { rtt: 9, bytes_sent: 5_000 })]);
  assert.deepEqual([isRight(fields, 'rtt_us', 50), isRight(fields, 'tcp_bytes_sent', 1)], [true, true]);
});

test('the state is that of the readings around, or what the closing call allows', () => {
  const state = (value: string, readings = [QUIET, TIMED_OUT], end?: { before: number; after: number }) =>
    holds(stateAtRetransmission(readings, end), value, row());
  assert.deepEqual([state('established'), state('fin_wait_1'), state('close_wait')], [true, false, false]);
  const closed = { before: 100 * MS, after: 101 * MS };
  assert.deepEqual(
    [state('established', [], closed), state('fin_wait_1', [], closed), state('established', [])],
    [false, true, true],
  );
});

test('a row of any moment of a bracket grew from the reading before it on', () => {
  const fields = grownFields([QUIET, TIMED_OUT], { before: 100 * MS, after: Number.POSITIVE_INFINITY });
  assert.deepEqual(
    [999, 1_000, 90_000].map((bytes) => isRight(fields, 'tcp_bytes_sent', bytes)),
    [false, true, true],
  );
});
