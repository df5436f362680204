import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_KINDS, VERDICTS } from '@tcptrail/schemas/enums.ts';
import { RING } from '@tcptrail/schemas/generated/ring.ts';
import { createEventWriter } from '../../src/import/zeek-event.ts';
import { addressText } from '../../src/spool/address-text.ts';
import { CONNECTION, type Fields } from './zeek-lines.ts';

const writer = createEventWriter();

function write(change: Fields = {}) {
  const fields: Fields = { ...CONNECTION, ...change };
  return writer.write((name) => (fields[name] === '-' ? undefined : fields[name]), 7);
}

const nsAt = (at: number): bigint => writer.ring.readBigUInt64LE(at);

test('a record is an event of its originator: ends, times, payload, segments', () => {
  assert.deepEqual(write(), { kind: 'event', tsUs: 1_713_484_796_027_283 });
  const { ring } = writer;
  assert.equal(nsAt(RING.ts), 1_713_484_796_027_283_000n);
  assert.equal(nsAt(RING.start_ts), 1_713_484_795_943_239_000n);
  assert.equal(nsAt(RING.duration_us), 84_044n);
  assert.equal(addressText(ring, RING.local_address), '::ffff:10.136.0.18');
  assert.equal(addressText(ring, RING.peer_address), '::ffff:203.0.113.16');
  assert.deepEqual([ring.readUInt16LE(RING.local_port), ring.readUInt16LE(RING.peer_port)], [55_548, 443]);
  assert.deepEqual([nsAt(RING.bytes_sent), nsAt(RING.bytes_received)], [1030n, 20_275n]);
  assert.deepEqual([ring.readUInt32LE(RING.segs_out), ring.readUInt32LE(RING.segs_in)], [18, 14]);
  assert.deepEqual([nsAt(RING.seq), nsAt(RING.socket_cookie)], [7n, 7n]);
});

test('what one record had is gone in the next', () => {
  write({ orig_bytes: '5000000000' });
  assert.equal(nsAt(RING.bytes_sent), 5_000_000_000n);
  write({ orig_bytes: '-', duration: '-', conn_state: 'S0' });
  assert.deepEqual(
    [nsAt(RING.bytes_sent), nsAt(RING.duration_us), nsAt(RING.ts)],
    [0n, 0n, nsAt(RING.start_ts)],
  );
});

const STATES: readonly (readonly [
  state: string,
  history: string,
  kind: string,
  verdict: string,
  late: boolean,
])[] = [
  ['SF', 'ShADadFf', 'close', 'closed_local', false],
  ['SF', 'ShADadfF', 'close', 'closed_peer', false],
  ['SF', '-', 'close', 'unknown', false],
  ['S0', 'S', 'fail', 'timed_out', false],
  ['REJ', 'Sr', 'fail', 'refused', false],
  ['RSTOS0', 'SR', 'fail', 'cancelled', false],
  ['SH', 'SF', 'fail', 'cancelled', false],
  ['RSTRH', '^hr', 'close', 'reset_received', false],
  ['SHR', '^hf', 'close', 'closed_peer', false],
  ['S1', 'ShAD', 'close', 'unknown', true],
  ['S2', 'ShADF', 'close', 'closed_local', true],
  ['S3', 'ShADf', 'close', 'closed_peer', true],
  ['RSTO', 'ShADR', 'close', 'reset_sent', false],
  ['RSTR', 'ShADr', 'close', 'reset_received', false],
  ['OTH', 'Dd', 'close', 'unknown', true],
  ['-', '-', 'close', 'unknown', true],
];
for (const [state, history, kind, verdict, late] of STATES) {
  test(`${state} with history ${history} is ${kind}, ${verdict}${late ? ', its end not seen' : ''}`, () => {
    assert.equal(write({ conn_state: state, history }).kind, 'event');
    const { ring } = writer;
    assert.equal(EVENT_KINDS[ring[RING.kind] ?? 0], kind);
    assert.equal(VERDICTS[ring[RING.verdict] ?? 0], verdict);
    assert.equal(ring[RING.late], late ? 1 : 0);
  });
}

test('a time is of seconds, milliseconds or ISO 8601', () => {
  for (const ts of ['1713484795.943239', '2024-04-18T23:59:55.943239Z']) {
    write({ ts });
    assert.equal(nsAt(RING.start_ts), 1_713_484_795_943_239_000n, ts);
  }
  write({ ts: '1713484795943' });
  assert.equal(nsAt(RING.start_ts), 1_713_484_795_943_000_000n);
  write({ ts: '19.981745' });
  assert.equal(nsAt(RING.start_ts), 19_981_745_000n);
});

const BAD: readonly (readonly [Fields, string])[] = [
  [{ ts: 'yesterday' }, 'ts is "yesterday", no time before 2147'],
  [{ ts: '-' }, 'ts is missing'],
  [{ ts: '-5' }, 'ts is "-5", no time before 2147'],
  [{ 'id.orig_h': '10.0.0' }, 'id.orig_h is "10.0.0", no address'],
  [{ 'id.resp_h': '-' }, 'id.resp_h is missing'],
  [{ 'id.resp_p': '65536' }, 'id.resp_p is "65536", no port from 0 to 65535'],
  [{ duration: '-0.5' }, 'duration is "-0.5", no number of seconds'],
  [{ orig_bytes: '12.5' }, 'orig_bytes is "12.5", no whole number'],
  [{ resp_bytes: '99999999999999999999' }, 'resp_bytes is "99999999999999999999", no whole number'],
  [{ conn_state: 'SFX' }, 'conn_state is "SFX", which Zeek does not have'],
  [{ proto: '-' }, 'proto is missing'],
];
for (const [change, problem] of BAD) {
  test(`it is told that ${problem}`, () => assert.deepEqual(write(change), { kind: 'bad', problem }));
}

test('another protocol is no event', () => {
  for (const proto of ['udp', 'icmp', 'unknown_transport'])
    assert.deepEqual(write({ proto }), { kind: 'other' });
});
