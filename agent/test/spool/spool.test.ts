import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cpuAccount } from '../../../test/cpu-account.ts';
import { batchesOf } from '../../src/spool/segment-reader.ts';
import { dataOf, recordsOf } from '../support/batches.ts';
import { needsRoot } from '../support/needs-root.ts';
import { readDatum, readSegment } from '../support/oracle.ts';
import { smallDisk } from '../support/small-disk.ts';
import { BATCHES, EPOCH, manyBatches, spoolIn } from '../support/spool.ts';
import { tempFolder } from '../support/temp-folder.ts';

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

test('a segment that somebody removes while it is written is said, and batches go on in the next', (t) => {
  const { spool, folder, clock, failures, numbers } = spoolIn(tempFolder(t), {
    segmentBytes: 4 * 1024 * 1024,
  });
  spool.start();
  spool.open(EPOCH);
  const [first, second, third] = manyBatches();
  assert.ok(first && second && third);
  spool.append(first, 0);
  const [removed] = folder.segments();
  rmSync(folder.fileOf(removed?.name ?? ''));
  clock.ms += 5_000;
  spool.tick();
  assert.deepEqual(failures, [`somebody removed ${removed?.name}`]);
  clock.ms += 1_000;
  spool.append(second, 0);
  spool.append(third, 0);
  assert.equal(spool.failed, '');
  assert.deepEqual(numbers(), [2, 3]);
  spool.stop();
});

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
  const account = cpuAccount(5);
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
