import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRangeDecoder } from '@tcptrail/consumer/decode/range.ts';
import { decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { type Account, type Batch, batchesOf } from '../../src/import/batches.ts';
import { CLOSE, HEADER, tsv } from './zeek-lines.ts';

const HASH = 'ab'.repeat(32);
const DAY_S = 86_400;

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

async function read(lines: readonly string[]) {
  const account: Account = { lines: 0, rows: 0, notTcp: 0, header: 0, bad: 0 };
  const bad: [number, string][] = [];
  const batches: Batch[] = [];
  const config = { hash: HASH, hostName: 'conn.log' };
  for await (const batch of batchesOf(each(lines), config, account, (...told) => bad.push(told)))
    batches.push(batch);
  return { account, bad, batches, envelopes: batches.map(({ datum }) => decodeEnvelope(datum).envelope) };
}

test('every line has a number and a place in the account, which the last batch carries', async () => {
  const lines = [...HEADER, tsv(), tsv({ proto: 'udp' }), tsv({ ts: 'x' }), '', tsv(), CLOSE];
  const { account, bad, envelopes } = await read(lines);
  assert.deepEqual(account, { lines: 14, rows: 2, notTcp: 1, header: 10, bad: 1 });
  assert.deepEqual(bad, [[11, 'ts is "x", no time before 2147']]);
  const [envelope] = envelopes;
  assert.equal(envelopes.length, 1);
  const [cpu] = envelope?.cpus ?? [];
  assert.deepEqual([cpu?.seq_last, cpu?.rows, cpu?.failed, cpu?.filtered], [14, 2, 1, 11]);
  assert.deepEqual(
    envelope?.rules.map(({ rule, filtered }) => [rule, filtered]),
    [
      ['not_tcp', 1],
      ['header', 10],
    ],
  );
  assert.deepEqual(
    [envelope?.boot_id, envelope?.host_id, envelope?.host_name],
    [HASH, HASH.slice(0, 32), 'conn.log'],
  );
});

test('the same lines give the same batches, none of two days, however they are mixed', async () => {
  const at = (day: number, index: number): string =>
    tsv({ ts: String(day * DAY_S + index), duration: '0.5' });
  const lines = [
    ...HEADER,
    ...Array.from({ length: 9_000 }, (_, index) => at((index * 7) % 12, index % 80_000)),
  ];
  const [first, again] = [await read(lines), await read(lines)];
  assert.deepEqual(
    first.batches.map(({ datum }) => Buffer.from(datum).toString('hex')),
    again.batches.map(({ datum }) => Buffer.from(datum).toString('hex')),
  );
  assert.ok(first.batches.length > 12);
  assert.deepEqual(
    first.batches.map(({ batchSeq }) => batchSeq),
    first.batches.map((_, index) => index + 1),
  );
  const data = first.batches.map(({ batchSeq, datum }) => ({ offset: batchSeq, datum }));
  const { batches, refused } = createRangeDecoder().decode({ origin: 'zeek:x', originPartition: 0 }, data);
  assert.deepEqual(refused, []);
  for (const { events, batchDay } of batches) assert.deepEqual([...events.keys()], [batchDay]);
  assert.equal(
    first.batches.reduce((sum, { rows }) => sum + rows, 0),
    9_000,
  );
});

test('a log without a connection is one batch, for its account', async () => {
  const { batches, envelopes } = await read([...HEADER, tsv({ proto: 'icmp' }), CLOSE]);
  assert.deepEqual(
    batches.map(({ rows }) => rows),
    [0],
  );
  assert.equal(envelopes[0]?.cpus[0]?.seq_last, 10);
});
