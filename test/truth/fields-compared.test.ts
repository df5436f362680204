import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventKind } from '@tcptrail/schemas/enums.ts';
import { atLeast, derived } from './check.ts';
import type { Expectation, Fields } from './expected.ts';
import { describeNotCompared, fieldsNotCompared, type NotCompared } from './fields-compared.ts';

const expected = (kind: EventKind, fields: Fields): Expectation => ({
  kind,
  namespace: 7,
  key: { socket_cookie: 5 },
  fields,
  least: 0,
  most: 1,
});
const row = (kind: EventKind) => ({ kind, socket_cookie: 5 });
const of = (all: readonly NotCompared[], kind: EventKind): NotCompared => {
  const found = all.find((one) => one.kind === kind);
  assert.ok(found);
  return found;
};

const PLAYED = [
  {
    expectations: [
      expected('close', { pid: 1, rtt_us: 4, verdict: 'closed_local' }),
      expected('retransmit', { pid: 1, retransmit_cause: 'rto' }),
      expected('open', { pid: 1 }),
    ],
    rows: [row('close'), row('retransmit')],
  },
];

test('a field that is compared in a close is not thereby compared in a retransmit', () => {
  const all = fieldsNotCompared(PLAYED);
  assert.ok(!of(all, 'close').fields.includes('rtt_us'));
  assert.ok(of(all, 'retransmit').fields.includes('rtt_us'));
  for (const kind of ['close', 'retransmit'] as const) {
    assert.ok(!of(all, kind).fields.includes('pid'));
    assert.ok(!of(all, kind).fields.includes('socket_cookie'));
    assert.ok(of(all, kind).fields.includes('cpu'));
  }
});

test('a check that no value can fail compares nothing', () => {
  const anything = derived('', () => atLeast(0));
  const fields = { duration_us: atLeast(0), handshake_us: anything, segs_out: atLeast(1) };
  const close = of(
    fieldsNotCompared([{ expectations: [expected('close', fields)], rows: [row('close')] }]),
    'close',
  );
  assert.ok(close.fields.includes('duration_us'));
  assert.ok(close.fields.includes('handshake_us'));
  assert.ok(!close.fields.includes('segs_out'));
});

test('a kind lacks only what it fills', () => {
  const all = fieldsNotCompared(PLAYED);
  assert.ok(!of(all, 'retransmit').fields.includes('verdict'));
  assert.ok(!of(all, 'close').fields.includes('accept_queue'));
});

test('sums compare the causes of retransmissions where a connection ends, and nowhere else', () => {
  const all = fieldsNotCompared(PLAYED);
  assert.ok(!of(all, 'close').fields.includes('retrans_rto'));
  assert.ok(of(all, 'retransmit').fields.includes('retrans_rto'));
});

test('what no row met was not compared', () => {
  const open = of(fieldsNotCompared(PLAYED), 'open');
  assert.equal(open.isUnseen, true);
  assert.ok(open.fields.includes('pid'));
});

test('what is compared in no kind is named once, and a kind without rows is named', () => {
  const text = describeNotCompared(fieldsNotCompared(PLAYED));
  assert.match(text, /^- any kind: .*`cpu`/m);
  assert.doesNotMatch(text, /beside them .*`cpu`/);
  assert.match(text, /^- beside them `retransmit`: .*`rtt_us`/m);
  assert.match(text, /^- beside them `close`: none$/m);
  assert.match(text, /^- `open`: no such row was compared$/m);
});
