import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSpoolFolder } from '../../src/spool/folder.ts';
import { createRetention } from '../../src/spool/retention.ts';
import { createSegmentWriter } from '../../src/spool/segment-writer.ts';
import { createStateFile } from '../../src/spool/state.ts';
import { dataOf, recordsOf } from '../support/batches.ts';
import { needsRoot } from '../support/needs-root.ts';
import { SCHEMA } from '../support/oracle.ts';
import { tempFolder } from '../support/temp-folder.ts';

const SEGMENTS = 6;

/** Six segments of one batch with ten rows each: five on CPU 0 and five on CPU 1, kernel epoch 9. */
function spoolOfSix(t: TestContext) {
  const folder = createSpoolFolder(tempFolder(t));
  folder.make();
  const writer = createSegmentWriter(
    { agentEpoch: 1, segmentBytes: 1, segmentMs: 1e9, schema: SCHEMA, durable: false },
    { folder, nowMs: () => 0 },
  );
  const batches = Array.from({ length: SEGMENTS }, (_, index) => [
    ...recordsOf(5, { cpu: 0, from: index * 5 + 1 }),
    ...recordsOf(5, { cpu: 1, from: index * 5 + 1 }),
  ]);
  const ends = dataOf({ kernelEpoch: 9, batches }).map((datum) => writer.append(datum).end);
  const newest = writer.current;
  writer.stop();
  const names = folder.segments().map(({ name }) => name);
  const bytes = folder.segments().reduce((sum, segment) => sum + segment.bytes, 0);
  const state = createStateFile(join(folder.path, 'state.json'));
  /** The oldest is 600 ms old, the newest 100. */
  const ofMs = (name: string): number => (SEGMENTS - names.indexOf(name)) * 100;
  return {
    folder,
    names,
    ends,
    newest,
    bytes,
    state,
    left: () => folder.segments().map(({ name }) => names.indexOf(name)),
    retention: (bytesMax: number, ageMaxMs = 0) =>
      createRetention({ bytesMax, ageMaxMs }, { folder, state, ages: { ofMs } }),
    cursor(reader: string, segment: number, position: number) {
      const text = JSON.stringify({ segment: names[segment], position });
      writeFileSync(join(folder.path, 'cursor', `${reader}.json`), text);
    },
  };
}

test('segments go when every reader is past them', (t) => {
  const { retention, cursor, left, newest } = spoolOfSix(t);
  cursor('fast', 5, 0);
  cursor('slow', 3, 0);
  retention(1e9).release(newest);
  assert.deepEqual(left(), [3, 4, 5]);
});

test('without a reader nothing goes', (t) => {
  const { retention, left, newest } = spoolOfSix(t);
  retention(1e9).release(newest);
  assert.equal(left().length, SEGMENTS);
});

test('the newest batch stays even when it was read', (t) => {
  const { retention, cursor, left, newest, folder, names } = spoolOfSix(t);
  writeFileSync(folder.fileOf('0000000000000002-00000001.avro'), 'Obj');
  names.push('0000000000000002-00000001.avro');
  cursor('a', 6, 3);
  retention(1e9).release(newest);
  assert.deepEqual(left(), [5, 6]);
});

test('drops the oldest segment when the spool is full, its rows counted first', (t) => {
  const { retention, left, newest, bytes, state } = spoolOfSix(t);
  const [dropped] = retention(bytes - 1).makeRoom(newest);
  assert.deepEqual(left(), [1, 2, 3, 4, 5]);
  assert.deepEqual(dropped?.rows, { 9: { 0: 5, 1: 5 } });
  assert.deepEqual(state.value.dropped, { 9: { 0: 5, 1: 5 } });
  retention(bytes * 0.6).makeRoom(newest);
  assert.deepEqual(state.value.dropped, { 9: { 0: 15, 1: 15 } });
  assert.deepEqual(left(), [3, 4, 5]);
});

test('the segment a reader is in is passed over', (t) => {
  const { retention, cursor, left, newest, bytes, ends, state } = spoolOfSix(t);
  cursor('a', 0, Math.floor((ends[0] ?? 0) / 2));
  retention(bytes - 1).makeRoom(newest);
  assert.deepEqual(left(), [0, 2, 3, 4, 5]);
  assert.deepEqual(state.value.dropped, { 9: { 0: 5, 1: 5 } });
});

test('a reader at the end of its segment may already be in the next', (t) => {
  const { retention, cursor, left, newest, bytes, ends, state } = spoolOfSix(t);
  cursor('a', 0, ends[0] ?? 0);
  retention(bytes - 1).makeRoom(newest);
  assert.deepEqual(left(), [1, 2, 3, 4, 5]);
  assert.deepEqual(state.value.dropped, {});
  retention(bytes * 0.8).makeRoom(newest);
  assert.deepEqual(left(), [1, 3, 4, 5]);
});

test('the segment being written never goes', (t) => {
  const { retention, left, newest } = spoolOfSix(t);
  retention(1).makeRoom(newest);
  assert.deepEqual(left(), [5]);
});

test('drops what is too old, its rows counted first, however few bytes there are', (t) => {
  const { retention, left, newest, state } = spoolOfSix(t);
  const dropped = retention(1e9, 400).makeRoom(newest);
  assert.deepEqual(left(), [2, 3, 4, 5]);
  assert.deepEqual(
    dropped.map(({ reason, rows }) => ({ reason, rows })),
    Array.from({ length: 2 }, () => ({ reason: 'age', rows: { 9: { 0: 5, 1: 5 } } })),
  );
  assert.deepEqual(state.value.dropped, { 9: { 0: 10, 1: 10 } });
});

test('what was read of it does not go for its age, and neither does the segment a reader is in', (t) => {
  const { retention, cursor, left, newest, ends, state } = spoolOfSix(t);
  cursor('a', 1, Math.floor((ends[1] ?? 0) / 2));
  retention(1e9, 50).makeRoom(newest);
  assert.deepEqual(left(), [1, 5]);
  assert.deepEqual(state.value.dropped, { 9: { 0: 15, 1: 15 } });
});

test('the segment being written is never too old', (t) => {
  const { retention, left, newest } = spoolOfSix(t);
  retention(1e9, 1).makeRoom(newest);
  assert.deepEqual(left(), [5]);
});

test('rows of a segment that the disk does not let go are counted once', needsRoot, (t) => {
  const { retention, left, newest, bytes, state, folder, names } = spoolOfSix(t);
  const oldest = folder.fileOf(names[0] ?? '');
  // A mount point cannot be unlinked.
  execFileSync('mount', ['--bind', oldest, oldest]);
  const { makeRoom } = retention(bytes - 1);
  try {
    for (let turn = 0; turn < 3; turn++) assert.throws(() => makeRoom(newest), { code: 'EBUSY' });
  } finally {
    execFileSync('umount', [oldest]);
  }
  makeRoom(newest);
  assert.deepEqual(left(), [1, 2, 3, 4, 5]);
  assert.deepEqual(state.value.dropped, { 9: { 0: 5, 1: 5 } });
});

test('a drop that was interrupted is finished without counting its rows again', (t) => {
  const { retention, left, names, state, folder } = spoolOfSix(t);
  state.change({ dropped: { 9: { 0: 5, 1: 5 } }, dropping: names[0] ?? '' });
  retention(1e9).start();
  assert.deepEqual(left(), [1, 2, 3, 4, 5]);
  assert.deepEqual(state.value.dropped, { 9: { 0: 5, 1: 5 } });
  assert.ok(existsSync(join(folder.path, 'state.json')));
});
