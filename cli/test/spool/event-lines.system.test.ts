import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { encodeBatch } from '@tcptrail/schemas/batch.ts';
import { createEventColumns } from '@tcptrail/schemas/event-columns.ts';
import { EVENT_BYTES_MAX, encodeEvent } from '@tcptrail/schemas/generated/encode-event.ts';
import { RING_EVENT_BYTES } from '@tcptrail/schemas/generated/ring.ts';
import { EVENT_NAMES } from '@tcptrail/schemas/stored.ts';
import { createRawTables, startServer, type TestServer } from '../../../test/harness/server.ts';
import { createRandom, type Random } from '../../../test/random.ts';
import { BOOT_US, randomEvent } from '../../../test/random-event.ts';
import { SAMPLE_OWNER, sampleEnvelope } from '../../../test/sample-batch.ts';
import { addressText } from '../../src/spool/address-text.ts';
import { eventLines } from '../../src/spool/event-lines.ts';

const BATCHES = 10;
const EVENTS = 100;

let server: TestServer;
before(async () => {
  server = await startServer();
  await createRawTables(server.client);
});
after(() => server?.stop());

function randomBatch(random: Random, batch: number): Uint8Array {
  const out = new Uint8Array(EVENTS * EVENT_BYTES_MAX);
  const view = new DataView(out.buffer);
  let position = 0;
  for (let index = 0; index < EVENTS; index++) {
    const event = randomEvent(random, 2);
    const ring = new ArrayBuffer(RING_EVENT_BYTES);
    new Uint8Array(ring).set(event.ring);
    position = encodeEvent(new Uint32Array(ring), new Uint8Array(ring), 0, view, position, event.agent);
  }
  const envelope = sampleEnvelope({
    owners: [SAMPLE_OWNER, { ...SAMPLE_OWNER, pid: batch, command_line: 'sh -c "a\\b" \t é' }],
    batch_seq: batch,
    batch_ts: BOOT_US + batch * 3_600_000_000,
  });
  return encodeBatch(envelope, { bytes: out.subarray(0, position), count: EVENTS });
}

test('addresses read as ClickHouse writes them', async () => {
  // Runs of zeros of every length at every place, as IPv4-mapped and others.
  const all = Array.from({ length: 256 }, (_, mask) =>
    Array.from({ length: 8 }, (_, word) =>
      mask & (1 << word) ? (word === 5 ? 'ffff' : '0a1b') : '0000',
    ).join(''),
  );
  const result = await server.client.query({
    query: 'SELECT IPv6NumToString(toFixedString(unhex(arrayJoin({all:Array(String)})), 16)) AS text',
    query_params: { all },
    format: 'JSONEachRow',
  });
  const written = (await result.json<{ text: string }>()).map(({ text }) => text);
  assert.deepEqual(
    all.map((hex) => addressText(Buffer.from(hex, 'hex'), 0)),
    written,
  );
});

test('rows read as the consumer would store them and ClickHouse would print them', async () => {
  const columns = createEventColumns();
  const random = createRandom(7);
  const lines: string[] = [];
  for (let batch = 1; batch <= BATCHES; batch++) {
    const datum = randomBatch(random, batch);
    const { host_id, agent_epoch } = sampleEnvelope();
    const origin = `spool:${host_id}:${agent_epoch}`;
    columns.append(datum, { origin, origin_partition: 0, origin_offset: batch });
    lines.push(...eventLines(datum));
  }
  for (const day of columns.days().keys()) {
    const { stream } = await server.client.exec({
      query: 'INSERT INTO tcptrail.tcp_events FORMAT Native',
      values: Readable.from([columns.block(day)]),
    });
    await stream.toArray();
  }
  const result = await server.client.query({
    query: `SELECT ${EVENT_NAMES.join(', ')} FROM tcptrail.tcp_events`,
    format: 'JSONEachRow',
  });
  const stored = (await result.text()).trimEnd().split('\n');
  // Text apart from the order of rows and from how a character is escaped.
  const read = (all: readonly string[]): string[] =>
    all.map((line) => JSON.stringify(JSON.parse(line))).toSorted();
  assert.equal(lines.length, BATCHES * EVENTS);
  assert.deepEqual(read(lines), read(stored));
});
