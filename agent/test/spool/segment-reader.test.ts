import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { createSpoolFolder } from '../../src/spool/folder.ts';
import { batchesBackwards, batchesOf } from '../../src/spool/segment-reader.ts';
import { createSegmentWriter } from '../../src/spool/segment-writer.ts';
import { dataOf, recordsOf } from '../support/batches.ts';
import { readDatum, SCHEMA } from '../support/oracle.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** A segment of three batches, and where each ends. */
function segmentOfThree(t: TestContext): { file: string; ends: number[] } {
  const folder = createSpoolFolder(tempFolder(t));
  folder.make();
  const writer = createSegmentWriter(
    { agentEpoch: 1, segmentBytes: 1_000_000, segmentMs: 1e9, schema: SCHEMA, durable: false },
    { folder, nowMs: () => 0 },
  );
  const data = dataOf({ batches: [1, 2, 3].map((batch) => recordsOf(20, { from: batch * 20 - 19 })) });
  const ends = data.map((datum) => writer.append(datum).end);
  const file = folder.fileOf(writer.current);
  writer.stop();
  return { file, ends };
}

const numbers = (batches: Iterable<{ datum: Uint8Array }>): number[] =>
  [...batches].map(({ datum }) => readDatum(datum).batch_seq);

test('batches come forwards, from a position on, and backwards', (t) => {
  const { file, ends } = segmentOfThree(t);
  assert.deepEqual(numbers(batchesOf(file)), [1, 2, 3]);
  assert.deepEqual(numbers(batchesOf(file, ends[0])), [2, 3]);
  assert.deepEqual(numbers(batchesBackwards(file)), [3, 2, 1]);
});

test('a tail torn anywhere costs the torn batch alone', (t) => {
  const { file, ends } = segmentOfThree(t);
  const [, second = 0, third = 0] = ends;
  for (let size = third - 1; size > second; size--) {
    truncateSync(file, size);
    assert.deepEqual(numbers(batchesBackwards(file)), [2, 1]);
    assert.deepEqual(numbers(batchesOf(file)), [1, 2]);
  }
});

test('a damaged batch is passed over in both directions', (t) => {
  const { file, ends } = segmentOfThree(t);
  const bytes = readFileSync(file);
  const middle = Math.floor(((ends[0] ?? 0) + (ends[1] ?? 0)) / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 0x10;
  writeFileSync(file, bytes);
  assert.deepEqual(numbers(batchesOf(file)), [1, 3]);
  assert.deepEqual(numbers(batchesBackwards(file)), [3, 1]);
});

test('a damaged sync marker costs no batch in either direction, wherever it stands', (t) => {
  const { file, ends } = segmentOfThree(t);
  const good = readFileSync(file);
  const [first] = batchesOf(file);
  const headerEnd = first?.position ?? 0;
  for (const end of [headerEnd, ...ends]) {
    const bytes = Buffer.from(good);
    bytes[end - 4] = (bytes[end - 4] ?? 0) ^ 0x20;
    writeFileSync(file, bytes);
    assert.deepEqual(numbers(batchesOf(file)), [1, 2, 3], `marker before byte ${end}`);
    assert.deepEqual(numbers(batchesBackwards(file)), [3, 2, 1], `marker before byte ${end}`);
  }
});

test('a file that is empty, torn in its header, or something else has no batches', (t) => {
  const { file } = segmentOfThree(t);
  for (const content of ['', 'Ob', readFileSync(file).subarray(0, 500), 'something else']) {
    writeFileSync(file, content);
    assert.deepEqual([numbers(batchesOf(file)), numbers(batchesBackwards(file))], [[], []]);
  }
});
