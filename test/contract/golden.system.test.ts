import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { createEventColumns } from '@tcptrail/schemas/event-columns.ts';
import { EVENT_NAMES } from '@tcptrail/schemas/stored.ts';
import { BATCH_TYPE } from '../avsc-oracle.ts';
import { goldenBatch, goldenRing, readGolden, readGoldenBytes } from '../golden.ts';
import { createRawTables, startServer, type TestServer } from '../harness/server.ts';
import { sampleEnvelope } from '../sample-batch.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
  await createRawTables(server.client);
});
after(() => server?.stop());

test('the golden event passes every stage: JSON, ring bytes, Avro bytes, stored row', async () => {
  const event = readGolden('event.json');

  const ring = goldenRing(event);
  assert.equal(Buffer.from(ring).toString('hex'), readGoldenBytes('ring.hex').toString('hex'), 'ring bytes');

  const datum = goldenBatch(ring, event);
  assert.equal(
    Buffer.from(datum).toString('hex'),
    readGoldenBytes('batch.hex').toString('hex'),
    'Avro bytes',
  );
  assert.deepEqual(decodeEnvelope(datum).envelope, sampleEnvelope(), 'envelope');
  assert.equal((BATCH_TYPE.fromBuffer(Buffer.from(datum)) as { events: unknown[] }).events.length, 1, 'avsc');

  const columns = createEventColumns();
  columns.append(datum, { origin: 'spool:golden', origin_partition: 0, origin_offset: 7 });
  const [day] = columns.days().keys();
  const block = columns.block(day ?? 0);
  const insert = await server.client.exec({
    query: 'INSERT INTO tcptrail.tcp_events FORMAT Native',
    values: Readable.from([block]),
  });
  await insert.stream.toArray();
  const result = await server.client.query({
    query: `SELECT ${EVENT_NAMES.join(', ')} FROM tcptrail.tcp_events`,
    format: 'JSONEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
  });
  const [row] = await result.json();
  assert.deepEqual(row, readGolden('row.json'), 'stored row');
});
