import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAges } from '@tcptrail/spool/ages.ts';
import { type ChainRead, openSegmentChain } from '@tcptrail/spool/segment-chain.ts';
import { createSpoolFolder } from '../../src/spool/folder.ts';
import { batchesOf } from '../../src/spool/segment-reader.ts';
import { createSpool, type Spool, type SpoolConfig } from '../../src/spool/spool.ts';
import { dataOf, recordsOf } from '../support/batches.ts';
import { ext4Disk, needsLoop } from '../support/ext4-disk.ts';
import { needsRoot } from '../support/needs-root.ts';
import { readDatum, SCHEMA } from '../support/oracle.ts';
import { tempFolder } from '../support/temp-folder.ts';

const EPOCH = 1_700_000_000_000_000;
const ROWS = 30;

/** `count` batches of 30 rows on CPU 0, kernel epoch 9. */
const data = (count: number): Uint8Array[] =>
  dataOf({
    kernelEpoch: 9,
    batches: Array.from({ length: count }, (_, index) => recordsOf(ROWS, { from: 1 + index * ROWS })),
  });

function runIn(path: string, config: Partial<SpoolConfig> = {}) {
  const folder = createSpoolFolder(path);
  const clock = { ms: 0 };
  const failures: string[] = [];
  const spool = createSpool(
    { segmentBytes: 1e6, bytesMax: 64e6, ageMaxMs: 0, fsyncMs: 1, schema: SCHEMA, ...config },
    {
      folder,
      nowMs: () => clock.ms,
      ages: createAges(path, { now: () => ({ bootId: 'boot', ms: clock.ms }) }),
      onWriteFailed: ({ reason }) => failures.push(reason),
      onDropped: () => {},
    },
  );
  spool.start();
  spool.open(spool.epochAfter(EPOCH));
  return { spool, folder, clock, failures };
}

/** Of the last account of kernel epoch 9. */
function rowsOf(spool: Spool): number {
  const [cpu] = spool.tail(9)?.cpus ?? [];
  return cpu ? cpu.rows + cpu.rows_ahead : 0;
}

/** Runs `work` while everything in the folder is read-only. */
function whileReadOnly(path: string, work: () => void): void {
  execFileSync('mount', ['--bind', path, path]);
  try {
    execFileSync('mount', ['-o', 'remount,bind,ro', path]);
    work();
  } finally {
    execFileSync('umount', [path]);
  }
}

/** What a reader finds: numbers of batches, and damage by its reason and size. */
function readAll(path: string): (number | string)[] {
  const chain = openSegmentChain(path, undefined);
  const seen: (number | string)[] = [];
  for (let read: ChainRead = chain.next(); read.kind !== 'nothing'; read = chain.next()) {
    if (read.kind === 'batch') seen.push(readDatum(read.datum).batch_seq);
    else seen.push(`${read.reason} ${read.bytes.length}`);
  }
  chain.close();
  return seen;
}

/** Three batches in one segment: its file, and where they begin and end. */
function written(path: string): { file: string; bounds: number[] } {
  const { spool, folder } = runIn(path);
  for (const datum of data(3)) spool.append(datum, 0);
  spool.stop();
  const file = folder.fileOf(folder.segments()[0]?.name ?? '');
  return {
    file,
    bounds: [...[...batchesOf(file)].map(({ position }) => position), readFileSync(file).length],
  };
}

test('after a torn tail the next run goes on in a segment of its own, and the torn bytes alone are lost', (t) => {
  const path = tempFolder(t);
  const { file, bounds } = written(path);
  const [, , last = 0, end = 0] = bounds;
  const good = readFileSync(file);
  for (let size = last + 1; size < end; size += 23) {
    truncateSync(file, size);
    const { spool, folder } = runIn(path);
    assert.equal(rowsOf(spool), 2 * ROWS, 'the account is that of the last whole batch');
    spool.append(data(1)[0] ?? new Uint8Array(), 0);
    spool.stop();
    assert.deepEqual(readAll(path), [1, 2, `SEGMENT_TORN ${size - last}`, 1]);
    const [, second] = folder.segments();
    rmSync(folder.fileOf(second?.name ?? ''));
    writeFileSync(file, good);
  }
});

test('a bit that flips in the middle costs its batch alone, and only whole batches count as dropped', (t) => {
  for (let share = 0; share < 1; share += 0.09) {
    const path = tempFolder(t);
    const { file, bounds } = written(path);
    const [, from = 0, to = 0] = bounds;
    const bytes = readFileSync(file);
    // Behind the two numbers in front of the block, before the marker behind it.
    const at = Math.floor(from + 4 + share * (to - from - 4 - 16));
    bytes[at] = (bytes[at] ?? 0) ^ 0x08;
    writeFileSync(file, bytes);
    const { spool } = runIn(path, { bytesMax: 4_000 });
    assert.equal(rowsOf(spool), 3 * ROWS);
    assert.deepEqual(readAll(path), [1, `SEGMENT_CORRUPT ${to - from}`, 3], `byte ${at}`);
    spool.append(data(1)[0] ?? new Uint8Array(), 0);
    assert.deepEqual(spool.dropped, { 9: { 0: 2 * ROWS } }, `byte ${at}`);
    spool.stop();
  }
});

test('a spool on a read-only disk is refused in one sentence', needsRoot, (t) => {
  const path = tempFolder(t);
  whileReadOnly(path, () =>
    assert.throws(() => runIn(join(path, 'spool')), {
      code: 'AGENT_SPOOL_UNUSABLE',
      exitCode: 1,
      message: /\(EROFS\); make it writable or set spool\.path/,
    }),
  );
});

test('a disk that is read-only for a while costs no batch and no order', needsRoot, (t) => {
  const path = tempFolder(t);
  const { spool, clock, failures } = runIn(path, { segmentBytes: 1 });
  const [first = new Uint8Array(), ...rest] = data(6);
  spool.append(first, 0);
  whileReadOnly(path, () => {
    for (const datum of rest) {
      clock.ms += 1_000;
      spool.append(datum, 0);
      spool.tick();
    }
    assert.equal(spool.failed, 'EROFS');
    assert.ok(failures.every((reason) => reason === 'EROFS'));
    assert.equal(spool.health(0).pending, 5);
    assert.deepEqual(readAll(path), [1], 'a reader goes on');
  });
  clock.ms += 1_000;
  spool.tick();
  assert.equal(spool.failed, '');
  spool.stop();
  assert.deepEqual(readAll(path), [1, 2, 3, 4, 5, 6]);
});

test(
  'a disk that fails and turns read-only keeps what was synced, and the next run goes on',
  needsLoop,
  (t) => {
    const disk = ext4Disk(t);
    const path = join(disk.path, 'spool');
    const synced = runIn(path);
    for (const datum of data(4)) synced.spool.append(datum, 0);
    synced.spool.stop();

    const { spool, clock, failures } = runIn(path);
    const [first = new Uint8Array(), second = new Uint8Array()] = data(2);
    spool.append(first, 0);
    disk.fail();
    for (let turn = 0; turn < 3; turn++) {
      clock.ms += 1_000;
      spool.append(second, 0);
      spool.tick();
    }
    assert.ok(failures.length > 0 && failures.every((reason) => reason === 'EROFS'), failures.join());
    assert.deepEqual(readAll(path).slice(0, 4), [1, 2, 3, 4], 'a reader goes on');
    assert.throws(() => spool.stop(), { code: 'AGENT_SPOOL_UNSPOOLED', exitCode: 1, message: /\(EROFS\)/ });

    disk.mend();
    const next = runIn(path);
    assert.ok([ROWS, 4 * ROWS].includes(rowsOf(next.spool)), 'of the last batch that the disk kept');
    next.spool.append(first, 0);
    next.spool.stop();
    const read = readAll(path);
    assert.deepEqual(read.slice(0, 4), [1, 2, 3, 4]);
    assert.equal(read.at(-1), 1);
  },
);
