import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAges } from '@tcptrail/spool/ages.ts';
import { createSpoolFolder } from '../../src/spool/folder.ts';
import { batchesOf } from '../../src/spool/segment-reader.ts';
import { createSpool, type SpoolConfig } from '../../src/spool/spool.ts';
import { dataOf, recordsOf } from '../support/batches.ts';
import { needsRoot } from '../support/needs-root.ts';
import { readDatum, readSegment, SCHEMA } from '../support/oracle.ts';
import { smallDisk } from '../support/small-disk.ts';
import { tempFolder } from '../support/temp-folder.ts';

const EPOCH = 1_700_000_000_000_000;
const BATCHES = 40;

function spoolIn(path: string, config: Partial<SpoolConfig> = {}, bootId = 'boot') {
  const folder = createSpoolFolder(path);
  const clock = { ms: 0 };
  const failures: string[] = [];
  const dropped: string[] = [];
  const spool = createSpool(
    {
      segmentBytes: 64 * 1024,
      bytesMax: 64 * 1024 * 1024,
      ageMaxMs: 0,
      fsyncMs: 0,
      schema: SCHEMA,
      ...config,
    },
    {
      folder,
      nowMs: () => clock.ms,
      ages: createAges(path, { now: () => ({ bootId, ms: clock.ms }) }),
      onWriteFailed: ({ reason }) => failures.push(reason),
      onDropped: ({ reason, segment }) => dropped.push(`${reason} ${segment}`),
    },
  );
  const numbers = (): number[] =>
    folder
      .segments()
      .flatMap(({ name }) =>
        [...batchesOf(folder.fileOf(name))].map(({ datum }) => readDatum(datum).batch_seq),
      );
  return { spool, folder, clock, failures, dropped, numbers };
}

/** About 10 KB a batch on disk. */
function manyBatches(): Uint8Array[] {
  const batches = Array.from({ length: BATCHES }, (_, index) =>
    recordsOf(1_500, { from: 1 + index * 1_500 }).map((record) => ({
      ...record,
      cgroupId: BigInt(index),
      ts: noise(record.seq ?? 0),
    })),
  );
  return dataOf({ kernelEpoch: 9, batches });
}

/** Times that do not compress well, fixed by the number. */
function noise(seq: number): bigint {
  return BigInt(Math.imul(seq, 0x9e37_79b1) >>> 0) * 1_000_003n;
}

test('what was appended is read back in order, segment after segment', async (t) => {
  const { spool, folder } = spoolIn(tempFolder(t));
  spool.start();
  spool.open(EPOCH);
  for (const datum of manyBatches()) spool.append(datum, 0);
  spool.stop();
  const segments = folder.segments();
  assert.ok(segments.length > 2);
  const read = await Promise.all(segments.map(({ name }) => readSegment(folder.fileOf(name))));
  assert.deepEqual(
    read.flat().map((batch) => batch.batch_seq),
    Array.from({ length: BATCHES }, (_, index) => index + 1),
  );
});

test(
  'a full disk costs no batch: they wait in order and are written when there is room',
  needsRoot,
  async (t) => {
    const path = smallDisk(t, '1m');
    const { spool, folder, clock, failures, numbers } = spoolIn(join(path, 'spool'), {
      segmentBytes: 4 * 1024 * 1024,
    });
    spool.start();
    spool.open(EPOCH);
    const data = manyBatches();
    writeFileSync(join(path, 'ballast'), Buffer.alloc(850 * 1024));
    for (const datum of data.slice(0, 20)) spool.append(datum, 0);
    assert.deepEqual(failures, ['ENOSPC']);
    const pending = spool.health(0).pending;
    assert.ok(pending > 0 && pending < 20);
    assert.deepEqual(
      numbers(),
      Array.from({ length: 20 - pending }, (_, index) => index + 1),
    );

    rmSync(join(path, 'ballast'));
    spool.tick();
    assert.equal(spool.health(0).pending, pending, 'a refused disk is not asked again at once');
    clock.ms += 1_000;
    spool.tick();
    assert.equal(spool.health(0).pending, 0);
    spool.stop();
    assert.deepEqual(
      numbers(),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    const [segment] = folder.segments();
    const read = await readSegment(folder.fileOf(segment?.name ?? ''));
    assert.equal(read.length, 20, 'the torn block left no trace');
  },
);

test('memory is bounded while the disk is full', needsRoot, (t) => {
  const path = smallDisk(t, '64k');
  const data = manyBatches();
  const bytes = data[0]?.length ?? 0;
  const { spool, folder } = spoolIn(join(path, 'spool'), { pendingBytesMax: bytes * 5 });
  spool.start();
  spool.open(EPOCH);
  let taken = 0;
  for (const datum of data) {
    if (!spool.ready) break;
    taken += 1;
    spool.append(datum, taken);
  }
  assert.ok(taken < data.length);
  const { pending } = spool.health(0);
  assert.ok(pending > 0 && pending <= 6);
  const [segment] = folder.segments();
  const cursor = JSON.stringify({ segment: segment?.name, position: segment?.bytes });
  writeFileSync(join(folder.path, 'cursor', 'consumer.json'), cursor);
  assert.equal(spool.health(100).lag_us, 100 - (taken - pending + 1), 'as late as what waits for a reader');
  assert.throws(() => spool.stop(), { code: 'AGENT_SPOOL_UNSPOOLED', exitCode: 1, message: /ENOSPC/ });
  assert.ok(folder.segments().length > 0);
});

test('a full spool drops its oldest segment, remembers the rows and keeps within its bound', (t) => {
  const bytesMax = 256 * 1024;
  const { spool, folder, dropped } = spoolIn(tempFolder(t), { bytesMax });
  spool.start();
  spool.open(EPOCH);
  const data = manyBatches();
  for (const datum of data) {
    spool.append(datum, 0);
    assert.ok(folder.segments().reduce((sum, segment) => sum + segment.bytes, 0) <= bytesMax);
  }
  spool.stop();
  assert.ok(dropped.length > 0);
  const left = folder.segments().flatMap(({ name }) => [...batchesOf(folder.fileOf(name))]);
  const rowsLeft = left.reduce((sum, { datum }) => sum + readDatum(datum).events.length, 0);
  const rows = data.reduce((sum, datum) => sum + readDatum(datum).events.length, 0);
  assert.deepEqual(spool.dropped, { 9: { 0: rows - rowsLeft } });
  const again = spoolIn(folder.path);
  again.spool.start();
  assert.deepEqual(again.spool.dropped, { 9: { 0: rows - rowsLeft } });
});

test('the accounts of a kernel epoch are those of its last whole batch', (t) => {
  const { spool, folder } = spoolIn(tempFolder(t));
  spool.start();
  spool.open(EPOCH);
  for (const datum of dataOf({ kernelEpoch: 7, batches: [recordsOf(3), recordsOf(4, { from: 4 })] }))
    spool.append(datum, 0);
  for (const datum of dataOf({ kernelEpoch: 8, batches: [recordsOf(1)] })) spool.append(datum, 0);
  spool.stop();
  const { spool: next } = spoolIn(folder.path);
  next.start();
  const rowsOf = (epoch: number): number | undefined => {
    const [cpu] = next.tail(epoch)?.cpus ?? [];
    return cpu && cpu.rows + cpu.rows_ahead;
  };
  assert.deepEqual([rowsOf(7), rowsOf(8), rowsOf(6)], [7, 1, undefined]);
});

test('the accounts of an ended kernel epoch outlive its segments', (t) => {
  const path = tempFolder(t);
  const { spool } = spoolIn(path);
  spool.start();
  const account = {
    cpu: 0,
    seq_last: 5,
    rows: 5,
    rows_ahead: 0,
    failed: 0,
    folded: 0,
    filtered: 0,
    folded_ahead: 0,
    filtered_ahead: 0,
    spool_dropped: 0,
  };
  spool.noteEnded(7, [account]);
  const { spool: next } = spoolIn(path);
  next.start();
  assert.deepEqual(next.tail(7)?.cpus, [account]);
});

test('a run is later than every run before, even when the clock went back', (t) => {
  const { spool, folder } = spoolIn(tempFolder(t));
  spool.start();
  assert.equal(spool.epochAfter(5), 5);
  spool.open(EPOCH);
  spool.append(dataOf({ batches: [recordsOf(1)] })[0] ?? new Uint8Array(), 0);
  spool.stop();
  assert.equal(spoolIn(folder.path).spool.epochAfter(5), EPOCH + 1);
});

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
