import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClickHouse } from '../../src/store/clickhouse.ts';
import { findRepeats } from '../../src/store/repeats.ts';

const SPAN = { origin: 't', originPartition: 0, first: 0, last: 9_999 };

const envelope = (batchSeq: number, change: { maybe_duplicate?: boolean; batch_part?: number } = {}) => ({
  host_id: 'h',
  boot_id: 'b',
  agent_epoch: 1,
  batch_seq: batchSeq,
  batch_part: 1,
  batch_ts: 0,
  maybe_duplicate: false,
  ...change,
});
const batch = (offset: number, of: ReturnType<typeof envelope>) => ({
  offset,
  envelope: of,
  events: new Map<number, number>(),
  filedTs: 0,
  batchDay: 0,
});

/** A table that holds those batches from elsewhere; it writes down what it was asked for. */
function tableOf(...held: readonly ReturnType<typeof envelope>[]) {
  const asked: (readonly string[])[] = [];
  const clickhouse = {
    database: 'db',
    async query(_: string, params: { readonly asked: readonly string[] }) {
      asked.push(params.asked);
      const name = ({ host_id, boot_id, agent_epoch, batch_seq }: (typeof held)[number]): string =>
        `${host_id}/${boot_id}/${agent_epoch}/${batch_seq}`;
      return held.filter((one) => params.asked.includes(name(one)));
    },
  } as unknown as ClickHouse;
  return { asked, clickhouse };
}

test('however many were sent again, no question is longer than ClickHouse takes', async () => {
  const count = 1_201;
  const again = Array.from({ length: count }, (_, seq) =>
    batch(seq, envelope(seq, { maybe_duplicate: true })),
  );
  const { asked, clickhouse } = tableOf(envelope(0), envelope(count - 1));
  assert.deepEqual([...(await findRepeats(clickhouse, SPAN, again))], [0, count - 1]);
  assert.deepEqual(
    asked.map(({ length }) => length),
    [500, 500, 201],
  );
});

test('a batch that is not marked is looked for where the range is read again, and not else', async () => {
  const { asked, clickhouse } = tableOf(envelope(1));
  const batches = [batch(5, envelope(1)), batch(6, envelope(2))];
  assert.deepEqual([...(await findRepeats(clickhouse, SPAN, batches))], []);
  assert.deepEqual(asked, []);
  assert.deepEqual([...(await findRepeats(clickhouse, SPAN, batches, new Set([6])))], [5]);
});

test('of two copies in a range that is read again, the one that is stored counts, whichever came first', async () => {
  const { clickhouse } = tableOf();
  const batches = [batch(5, envelope(1)), batch(6, envelope(1, { maybe_duplicate: true }))];
  assert.deepEqual([...(await findRepeats(clickhouse, SPAN, batches, new Set()))], [6]);
  assert.deepEqual([...(await findRepeats(clickhouse, SPAN, batches, new Set([6])))], [5]);
});

test('what is stored from its own place is no repeat', async () => {
  const { clickhouse } = tableOf(envelope(1));
  const batches = [batch(5, envelope(1, { maybe_duplicate: true })), batch(6, envelope(1))];
  assert.deepEqual([...(await findRepeats(clickhouse, SPAN, batches, new Set([5, 6])))], []);
});
