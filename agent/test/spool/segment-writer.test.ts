import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { createSpoolFolder } from '../../src/spool/folder.ts';
import { createSegmentWriter } from '../../src/spool/segment-writer.ts';
import { dataOf, recordsOf } from '../support/batches.ts';
import { readSegment, SCHEMA } from '../support/oracle.ts';
import { tempFolder } from '../support/temp-folder.ts';

const EPOCH = 1_700_000_000_000_000;

function writerIn(t: TestContext, segmentBytes = 1_000_000) {
  const folder = createSpoolFolder(tempFolder(t));
  const clock = { ms: 0 };
  folder.make();
  const writer = createSegmentWriter(
    { agentEpoch: EPOCH, segmentBytes, segmentMs: 1_000, schema: SCHEMA, durable: true },
    { folder, nowMs: () => clock.ms },
  );
  return { folder, writer, clock };
}

test('an independent Avro reader opens a segment and finds one batch a block', async (t) => {
  const { folder, writer } = writerIn(t);
  for (const datum of dataOf({ batches: [recordsOf(5), recordsOf(3, { from: 6 })] })) writer.append(datum);
  writer.stop();
  const name = folder.segments()[0]?.name ?? '';
  assert.equal(name, '1700000000000000-00000001.avro');
  const batches = await readSegment(folder.fileOf(name));
  assert.deepEqual(
    batches.map((batch) => [batch.batch_seq, batch.events.length]),
    [
      [1, 5],
      [2, 3],
    ],
  );
  assert.equal((statSync(folder.fileOf(name)).mode & 0o777).toString(8), '640');
});

test('no file stands before the first batch', (t) => {
  const { folder, writer } = writerIn(t);
  writer.stop();
  assert.deepEqual(folder.segments(), []);
});

test('a segment that reached its size is followed by the next number', async (t) => {
  const { folder, writer } = writerIn(t, 12_000);
  const batches = Array.from({ length: 12 }, (_, index) => recordsOf(200, { from: 1 + index * 200 }));
  for (const datum of dataOf({ batches })) writer.append(datum);
  writer.stop();
  const segments = folder.segments();
  assert.ok(segments.length > 1);
  for (const segment of segments.slice(0, -1)) assert.ok(segment.bytes >= 12_000);
  const read = await Promise.all(segments.map(({ name }) => readSegment(folder.fileOf(name))));
  assert.deepEqual(
    read.flat().map((batch) => batch.batch_seq),
    Array.from({ length: 12 }, (_, index) => index + 1),
  );
});

test('a segment that took batches for its time is followed by the next number', (t) => {
  const { folder, writer, clock } = writerIn(t);
  const batches = Array.from({ length: 4 }, (_, index) => recordsOf(1, { from: 1 + index }));
  const segments = dataOf({ batches }).map((datum) => {
    const { segment } = writer.append(datum);
    clock.ms += 500;
    return segment;
  });
  writer.stop();
  const [first, second] = folder.segments().map(({ name }) => name);
  assert.deepEqual(segments, [first, first, second, second]);
});

test('where a block ends is told as a reader counts it', (t) => {
  const { folder, writer } = writerIn(t);
  const [first = new Uint8Array(), second = new Uint8Array()] = dataOf({
    batches: [recordsOf(5), recordsOf(5, { from: 6 })],
  });
  const one = writer.append(first);
  assert.equal(one.end, statSync(folder.fileOf(one.segment)).size);
  const two = writer.append(second);
  assert.deepEqual([two.segment, two.end], [one.segment, statSync(folder.fileOf(one.segment)).size]);
  writer.stop();
});

test('a sync without anything new does nothing, one with a batch finishes', async (t) => {
  const { writer } = writerIn(t);
  writer.sync(() => assert.fail('nothing was written'));
  writer.append(dataOf({ batches: [recordsOf(1)] })[0] ?? new Uint8Array());
  const done = new EventTarget();
  const synced = once(done, 'done');
  writer.sync((error) => {
    assert.equal(error, null);
    done.dispatchEvent(new Event('done'));
  });
  await synced;
  writer.stop();
});
