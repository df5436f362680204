import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { encodeBatch, type Owner } from '@tcptrail/schemas/batch.ts';
import { createEventColumns, type EventColumns } from '@tcptrail/schemas/event-columns.ts';
import { avroFields, EVENT_FIELDS, type Field } from '@tcptrail/schemas/fields.ts';
import { EVENT_BYTES_MAX, encodeEvent } from '@tcptrail/schemas/generated/encode-event.ts';
import { RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { createRawTables, startServer, type TestServer } from '../harness/server.ts';
import { createRandom, type Random } from '../random.ts';
import { BOOT_US, randomEvent } from '../random-event.ts';
import { SAMPLE_OWNER, sampleEnvelope } from '../sample-batch.ts';

const BATCHES = 30;
const EVENTS = 100;
const FIELDS = avroFields(EVENT_FIELDS).filter((field) => field.type !== 'owner');

let server: TestServer;
before(async () => {
  server = await startServer();
  await createRawTables(server.client);
});
after(() => server?.stop());

const owners = (batch: number): Owner[] =>
  [0, 1, 2].map((index) => ({
    ...SAMPLE_OWNER,
    pid: 1000 * batch + index,
    executable: `/usr/bin/program-${index % 2}`,
  }));

/** A batch of random events; returns the rows it must become, as text. */
function appendBatch(columns: EventColumns, random: Random, batch: number): string[] {
  const out = new Uint8Array(EVENTS * EVENT_BYTES_MAX);
  const view = new DataView(out.buffer);
  const rows: string[] = [];
  let position = 0;
  for (let index = 0; index < EVENTS; index++) {
    const event = randomEvent(random, 3);
    const ring = new ArrayBuffer(RING_EVENT_BYTES);
    new Uint8Array(ring).set(event.ring);
    position = encodeEvent(new Uint32Array(ring), new Uint8Array(ring), 0, view, position, event.agent);
    const owner = owners(batch)[event.agent.owner];
    const values = FIELDS.map((field) => expectedText(event.expected[field.name]));
    rows.push([batch, owner?.pid, owner?.executable, ...values].join(' | '));
  }
  const envelope = sampleEnvelope({
    owners: owners(batch),
    batch_seq: batch,
    batch_ts: BOOT_US + batch * 3_600_000_000,
  });
  const datum = encodeBatch(envelope, { bytes: out.subarray(0, position), count: EVENTS });
  columns.append(datum, { origin: 'spool:random', origin_partition: 0, origin_offset: batch });
  return rows;
}

function expectedText(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (Array.isArray(value)) return `[${value.join(',')}]`;
  return String(value);
}

function selectText(field: Field): string {
  if (field.type === 'time') return `toString(toUnixTimestamp64Micro(${field.name}))`;
  if (field.type === 'address') return `lower(hex(${field.name}))`;
  return `toString(${field.name})`;
}

test(`${BATCHES * EVENTS} random events over many days read back from ClickHouse as they were`, async () => {
  const columns = createEventColumns(64);
  const random = createRandom(99);
  const expected: string[] = [];
  for (let batch = 1; batch <= BATCHES; batch++) expected.push(...appendBatch(columns, random, batch));
  assert.equal(columns.rows, BATCHES * EVENTS);
  assert.ok(columns.days().size > 1, 'several days');
  for (const day of columns.days().keys()) {
    const { stream } = await server.client.exec({
      query: 'INSERT INTO tcptrail.tcp_events FORMAT Native',
      values: Readable.from([columns.block(day)]),
    });
    await stream.toArray();
  }
  const result = await server.client.query({
    query: `SELECT arrayStringConcat([toString(origin_offset), toString(pid), executable, ${FIELDS.map(selectText).join(', ')}], ' | ') AS text,
                   toUInt8(ts_suspect OR day = toDate(ts)) AS filed
            FROM tcptrail.tcp_events`,
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ text: string; filed: number }>();
  assert.deepEqual(rows.map((row) => row.text).toSorted(), expected.toSorted());
  assert.ok(
    rows.every((row) => row.filed === 1),
    'a row is filed under its own day unless its time is suspect',
  );
});

test('a damaged batch leaves the columns as they were', () => {
  const columns = createEventColumns(8);
  const random = createRandom(5);
  appendBatch(columns, random, 1);
  const before = Buffer.from(columns.block([...columns.days().keys()][0] ?? 0));
  const datum = encodeBatch(sampleEnvelope(), {
    bytes: Uint8Array.from({ length: 400 }, () => random.below(256)),
    count: 2,
  });
  assert.throws(() => columns.append(datum, { origin: 'x', origin_partition: 0, origin_offset: 2 }), {
    code: /^DECODE_/,
  });
  assert.deepEqual(columns.block([...columns.days().keys()][0] ?? 0), before);
});
