import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { batchesOf } from '../../src/spool/segment-reader.ts';
import { dataOf, recordsOf } from '../support/batches.ts';
import { readDatum } from '../support/oracle.ts';
import { EPOCH, manyBatches, spoolIn } from '../support/spool.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('what a reader released leaves the depth, the lag and in time the disk', (t) => {
  const { spool, folder, clock } = spoolIn(tempFolder(t));
  spool.start();
  spool.open(EPOCH);
  for (const datum of manyBatches()) spool.append(datum, 1_000);
  const all = spool.health(5_000);
  assert.equal(all.lag_us, 4_000);
  const newest = folder.segments().at(-1);
  const cursor = JSON.stringify({ segment: newest?.name, position: newest?.bytes });
  writeFileSync(join(folder.path, 'cursor', 'consumer.json'), cursor);
  const read = spool.health(5_000);
  assert.deepEqual([read.bytes, read.segments, read.lag_us], [0, 1, 0]);
  clock.ms += 5_000;
  spool.tick();
  assert.deepEqual(
    folder.segments().map(({ name }) => name),
    [newest?.name],
  );
  spool.stop();
});

test('what an earlier run left counts as waiting from when it was written', (t) => {
  const { spool: first, folder } = spoolIn(tempFolder(t));
  first.start();
  first.open(EPOCH);
  for (const datum of manyBatches()) first.append(datum, 0);
  first.stop();
  const [oldest, second] = folder.segments();
  assert.ok(oldest && second);
  const now = folder.sinceUs(second.name) + 60_000_000;

  const { spool } = spoolIn(folder.path);
  spool.start();
  spool.open(EPOCH + 1);
  assert.equal(spool.health(now).lag_us, now - folder.sinceUs(oldest.name));
  rmSync(folder.fileOf(oldest.name));
  assert.equal(spool.health(now).lag_us, 60_000_000, 'one that was dropped no longer waits');
  const newest = folder.segments().at(-1);
  const cursor = JSON.stringify({ segment: newest?.name, position: newest?.bytes });
  writeFileSync(join(folder.path, 'cursor', 'consumer.json'), cursor);
  assert.equal(spool.health(now).lag_us, 0);
});

test('what nobody reads in time is dropped and counted, segment after segment', (t) => {
  const HOUR = 3_600_000;
  const { spool, folder, clock, dropped } = spoolIn(tempFolder(t), { ageMaxMs: 4 * HOUR });
  spool.start();
  spool.open(EPOCH);
  const rows = (): number =>
    folder
      .segments()
      .flatMap(({ name }) => [...batchesOf(folder.fileOf(name))])
      .reduce((sum, { datum }) => sum + readDatum(datum).events.length, 0);
  const batches = Array.from({ length: 12 }, (_, index) => recordsOf(10, { from: 1 + index * 10 }));
  for (const datum of dataOf({ kernelEpoch: 9, batches })) {
    spool.append(datum, 0);
    spool.tick();
    clock.ms += HOUR;
  }
  const segments = folder.segments().length;
  assert.deepEqual([...new Set(dropped.map((line) => line.split(' ')[0]))], ['age']);
  assert.equal(segments + dropped.length, 12, 'a segment takes batches for a quarter of the age');
  assert.ok(segments >= 4 && segments <= 6);
  assert.deepEqual(spool.dropped, { 9: { 0: 120 - rows() } });
  spool.stop();
});

test('a wall clock that jumps back and forth neither orders segments nor ages them', (t) => {
  const YEAR_US = 365 * 86_400e6;
  const path = tempFolder(t);
  const wrote: number[] = [];
  let run = 0;
  for (const jumpUs of [0, 10 * YEAR_US, -10 * YEAR_US, 1, -1, 2 * YEAR_US]) {
    const { spool, clock, dropped } = spoolIn(path, { ageMaxMs: 86_400_000 });
    clock.ms = run * 60_000;
    spool.start();
    const nowUs = EPOCH + jumpUs;
    spool.open(spool.epochAfter(nowUs));
    const [datum = new Uint8Array()] = dataOf({ agentEpoch: run, batches: [recordsOf(2)] });
    // The clock is set while the run lasts, too.
    for (const closedUs of [nowUs, nowUs - YEAR_US, nowUs + YEAR_US]) {
      spool.append(datum, closedUs);
      wrote.push(run);
      assert.ok(spool.health(nowUs).lag_us >= 0);
      clock.ms += 6_000;
      spool.tick();
    }
    spool.stop();
    assert.deepEqual(dropped, []);
    run += 1;
  }
  const { folder } = spoolIn(path);
  const read = folder.segments().flatMap(({ name }) => [...batchesOf(folder.fileOf(name))]);
  assert.deepEqual(
    read.map(({ datum }) => readDatum(datum).agent_epoch),
    wrote,
  );
});
