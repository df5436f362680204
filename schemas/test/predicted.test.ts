import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BATCH_TYPE } from '../../test/avsc-oracle.ts';
import { modelBatch } from '../../test/fuzz/mutate-batch.ts';
import { readNativeBlock } from '../../test/native-reader.ts';
import { createRandom } from '../../test/random.ts';
import { createEventColumns } from '../src/event-columns.ts';

type Event = Record<string, unknown>;

const TS_US = 1_790_000_000_000_000;
const DURATION_US = 5_000_000_000;
const HANDSHAKE_US = 300;
const START_US = TS_US - DURATION_US;
const SENT = 2 ** 33;

const CLIENT: Event = {
  role: 'client',
  ts: TS_US,
  duration_us: BigInt(DURATION_US),
  handshake_us: BigInt(HANDSHAKE_US),
  start_ts: START_US,
  established_ts: START_US + HANDSHAKE_US,
  bytes_sent: BigInt(SENT),
  bytes_delivered: BigInt(SENT),
  tcp_bytes_retrans: 7n,
  tcp_bytes_sent: BigInt(SENT + 7),
  tcp_bytes_acked: BigInt(SENT),
  bytes_received: 9n,
  tcp_bytes_received: 9n,
  data_segs_out: 40n,
  delivered: 40n,
};

/** Differences that the block of one event holds, by column. */
function restsOf(change: Event): Record<string, bigint> {
  const random = createRandom(1);
  let model = modelBatch(random);
  while (model.count === 0) model = modelBatch(random);
  const batch = BATCH_TYPE.fromBuffer(model.datum) as Event & { events: Event[] };
  const datum = BATCH_TYPE.toBuffer({ ...batch, events: [{ ...batch.events[0], ...CLIENT, ...change }] });
  const columns = createEventColumns();
  columns.append(datum, { origin: 'made', origin_partition: 0, origin_offset: 0 });
  const [day = 0] = columns.days().keys();
  const rests = [...readNativeBlock(columns.block(day))].filter(([name]) => name.endsWith('_rest'));
  return Object.fromEntries(rests.map(([name, [value]]) => [name, value as bigint]));
}

test('an event as others foretell it has no differences: a client, a server, one never established', () => {
  assert.deepEqual(restsOf({}), {});
  assert.deepEqual(restsOf({ role: 'server', established_ts: START_US }), {});
  assert.deepEqual(restsOf({ handshake_us: 0n, established_ts: 0 }), {});
});

test('what is otherwise is the difference to what others say, wrapped at its width', () => {
  assert.deepEqual(restsOf({ start_ts: START_US + 1 }), { start_ts_rest: 1n, established_ts_rest: -1n });
  assert.deepEqual(restsOf({ established_ts: 0 }), { established_ts_rest: BigInt(-START_US - HANDSHAKE_US) });
  assert.deepEqual(restsOf({ tcp_bytes_acked: BigInt(SENT + 2) }), { tcp_bytes_acked_rest: 2n });
  assert.deepEqual(restsOf({ tcp_bytes_sent: 0n }), { tcp_bytes_sent_rest: BigInt(-SENT - 7) });
  assert.deepEqual(restsOf({ tcp_bytes_received: 2n ** 63n - 1n, bytes_received: 2n ** 62n }), {
    tcp_bytes_received_rest: 2n ** 62n - 1n,
  });
  assert.deepEqual(restsOf({ delivered: 2n ** 32n - 1n }), { delivered_rest: -41n });
});

test('differences keep their sign at every width', () => {
  for (const rest of [
    1n,
    -1n,
    127n,
    -128n,
    128n,
    32_767n,
    -32_768n,
    2n ** 31n - 1n,
    -(2n ** 31n),
    2n ** 31n,
  ]) {
    assert.deepEqual(restsOf({ tcp_bytes_received: rest + 2n ** 40n, bytes_received: 2n ** 40n }), {
      tcp_bytes_received_rest: rest,
    });
  }
});
