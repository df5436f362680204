import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { createRangeDecoder } from '@tcptrail/consumer/decode/range.ts';
import { EVENT_FIELDS, type Field } from '@tcptrail/schemas/fields.ts';
import { PREDICTED_FIELDS, restName, restSql, restType } from '@tcptrail/schemas/predicted.ts';
import { BATCH_TYPE } from '../avsc-oracle.ts';
import { modelBatch } from '../fuzz/mutate-batch.ts';
import { createRawTables, startServer, type TestServer } from '../harness/server.ts';
import { createRandom, type Random } from '../random.ts';

type Event = Record<string, unknown>;
type Batch = Event & { events: Event[] };

const ROWS = 3000;
const TS_US = 1_790_000_000_000_000n;
/** Ends of the types and of their words, and what lies beside them; times as far as avsc writes them. */
const EXTREMES: Readonly<Record<string, readonly bigint[]>> = {
  u32: [0n, 1n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n],
  u64: [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n],
  time: [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, TS_US, TS_US + 1n, 2n ** 53n - 2n],
};
/** Predicted fields and what predicts them. */
const NAMES = new Set(
  PREDICTED_FIELDS.flatMap(({ name, predicted }) => [
    name,
    ...predicted.plus,
    ...(predicted.minus ?? []),
    ...(predicted.plusOfClient ? [predicted.plusOfClient] : []),
  ]),
);
const FIELDS = EVENT_FIELDS.filter(({ name }) => NAMES.has(name));

let server: TestServer;
before(async () => {
  server = await startServer();
  await createRawTables(server.client);
});
after(() => server?.stop());

function batchOf(
  random: Random,
  change: (event: Event) => void,
): { datum: Buffer; events: readonly Event[] } {
  for (;;) {
    const batch = BATCH_TYPE.fromBuffer(modelBatch(random).datum) as Batch;
    if (batch.events.length === 0) continue;
    for (const event of batch.events) change(event);
    return { datum: BATCH_TYPE.toBuffer(batch), events: batch.events };
  }
}

/** As avsc takes it. */
const written = (type: unknown, value: bigint): bigint | number => (type === 'time' ? Number(value) : value);

function blocksOf(data: readonly Buffer[]): Uint8Array[] {
  const messages = data.map((datum, offset) => ({ offset, datum }));
  const decoded = createRangeDecoder().decode({ origin: 'made', originPartition: 0 }, messages);
  assert.deepEqual(decoded.refused, []);
  const all = new Set(messages.map(({ offset }) => offset));
  const days = new Set(decoded.batches.flatMap(({ events }) => [...events.keys()]));
  return [...days].map((day) => Buffer.from(decoded.events(all, day) ?? []));
}

const selectText = ({ name, type }: Field): string =>
  `'${name}=', ${type === 'time' ? `toUnixTimestamp64Micro(${name})` : `toString(${name})`}`;
const textOf = (event: Event): string => FIELDS.map(({ name }) => `${name}=${event[name]}`).join(' ');

test(`${ROWS} events of extreme values read back from ClickHouse as avsc reads them`, async () => {
  const random = createRandom(28);
  const data: Buffer[] = [];
  const expected: string[] = [];
  while (expected.length < ROWS) {
    const { datum, events } = batchOf(random, (event) => {
      for (const { name, type } of FIELDS)
        event[name] = written(type, random.pick(EXTREMES[type as string] ?? []));
      event['role'] = random.pick(['client', 'server', 'unknown']);
    });
    data.push(datum);
    expected.push(...events.map(textOf));
  }
  for (const block of blocksOf(data)) {
    const { stream } = await server.client.exec({
      query: 'INSERT INTO tcptrail.tcp_events FORMAT Native',
      values: Readable.from([block]),
    });
    await stream.toArray();
  }
  const result = await server.client.query({
    query: `SELECT concat(${FIELDS.map(selectText).join(", ' ', ")}) AS text FROM tcptrail.tcp_events`,
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ text: string }>();
  assert.deepEqual(rows.map(({ text }) => text).toSorted(), expected.toSorted());
});

test('what is to be stored is the same in SQL, out of rows of all fields', async () => {
  const differs = PREDICTED_FIELDS.map(
    (field) => `countIf(CAST(${restSql(field)}, '${restType(field)}') != ${restName(field)})`,
  );
  const result = await server.client.query({
    query: `SELECT count() AS n, [${differs.join(', ')}] AS differ FROM tcptrail.tcp_events`,
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ n: number; differ: number[] }>();
  assert.ok(Number(row?.n) >= ROWS);
  assert.deepEqual(
    row?.differ.map(Number),
    PREDICTED_FIELDS.map(() => 0),
  );
});
