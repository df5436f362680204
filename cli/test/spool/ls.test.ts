import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { bootTime } from '@tcptrail/spool/ages.ts';
import { createSpool, temporaryFolder } from '../../../test/spool-writer.ts';
import { listSpool } from '../../src/spool/ls.ts';
import { segmentsOf } from '../../src/spool/source.ts';

/** Two segments: batches 1 and 2 of three rows and five, batch 3 of two. */
function spoolOfTwo() {
  const spool = createSpool();
  spool.batch(3);
  spool.batch(5);
  const first = spool.file;
  spool.rotate();
  spool.batch(2);
  const cursor = (reader: string, file: string, position: number): void => {
    mkdirSync(join(spool.path, 'cursor'), { recursive: true });
    const place = JSON.stringify({ segment: basename(file), position });
    writeFileSync(join(spool.path, 'cursor', `${reader}.json`), place);
  };
  return { spool, first, second: spool.file, cursor };
}

test('each segment has its batches, rows and bytes, oldest first', () => {
  const { spool, first, second } = spoolOfTwo();
  const told = listSpool(spool.path).map((listed) => [
    listed.segment,
    listed.batches,
    listed.rows,
    listed.bytes,
    listed.first_batch,
    listed.last_batch,
    listed.agent_epoch,
  ]);
  assert.deepEqual(told, [
    [basename(first), 2, 8, readFileSync(first).length, 1, 2, spool.agentEpoch],
    [basename(second), 1, 2, readFileSync(second).length, 3, 3, spool.agentEpoch],
  ]);
});

test('a reader has passed a segment when its cursor is at the end of it or beyond', () => {
  const { spool, first, second, cursor } = spoolOfTwo();
  const end = readFileSync(first).length;
  cursor('at-end', first, end);
  cursor('beyond', second, 100);
  cursor('within', first, end - 1);
  writeFileSync(join(spool.path, 'cursor', 'damaged.json'), '{"segm');
  const [one, two] = listSpool(spool.path);
  const passed = (listed: typeof one): (string | undefined)[] | undefined =>
    listed?.readers.filter((reader) => reader.passed).map(({ name }) => name);
  assert.deepEqual(passed(one), ['at-end', 'beyond']);
  assert.deepEqual(passed(two), []);
  assert.deepEqual(two?.readers, [
    { name: 'at-end', position: 0, passed: false },
    { name: 'beyond', position: 100, passed: false },
    { name: 'damaged', position: 0, passed: false },
    { name: 'within', position: 0, passed: false },
  ]);
});

test('the age is the one the agent keeps, and where it keeps none that of the file', () => {
  const { spool, first, second } = spoolOfTwo();
  const now = bootTime();
  const kept = { boot_id: now.bootId, boot_ms: now.ms, ages_ms: { [basename(first)]: 5_000_000 } };
  writeFileSync(join(spool.path, 'ages.json'), JSON.stringify(kept));
  const anHourAgo = Date.now() / 1_000 - 3_600;
  utimesSync(second, anHourAgo, anHourAgo);
  const [one, two] = listSpool(spool.path);
  assert.ok((one?.age_ms ?? 0) >= 5_000_000 && (one?.age_ms ?? 0) < 5_600_000);
  assert.ok((two?.age_ms ?? 0) >= 3_600_000 && (two?.age_ms ?? 0) < 4_200_000);
  const later = Date.now() / 1_000 + 3_600;
  utimesSync(second, later, later);
  assert.equal(listSpool(spool.path)[1]?.age_ms, 0, 'the wall clock went back');
});

test('damage is told in bytes, and the rest is counted', () => {
  const { spool, first } = spoolOfTwo();
  const size = readFileSync(first).length;
  truncateSync(first, size - 5);
  const [one] = listSpool(spool.path);
  assert.deepEqual([one?.batches, one?.rows, one?.bytes], [1, 3, size - 5]);
  assert.ok((one?.damaged_bytes ?? 0) > 0);
});

test('a folder that is no spool, and one that is not there, are told apart from an empty spool', () => {
  const folder = temporaryFolder();
  for (const path of [folder, join(folder, 'nowhere'), import.meta.filename]) {
    assert.throws(() => segmentsOf(path), { code: 'CLI_NO_SPOOL', exitCode: 1, message: /--path/ });
  }
  mkdirSync(join(folder, 'cursor'));
  assert.deepEqual(segmentsOf(folder), []);
});
