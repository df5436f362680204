/** A spool in a folder of the test, on a clock of its own. */
import { createAges } from '@tcptrail/spool/ages.ts';
import { createSpoolFolder } from '../../src/spool/folder.ts';
import { batchesOf } from '../../src/spool/segment-reader.ts';
import { createSpool, type SpoolConfig } from '../../src/spool/spool.ts';
import { dataOf, recordsOf } from './batches.ts';
import { readDatum, SCHEMA } from './oracle.ts';

export const EPOCH = 1_700_000_000_000_000;
export const BATCHES = 40;

export function spoolIn(path: string, config: Partial<SpoolConfig> = {}, bootId = 'boot') {
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
export function manyBatches(kernelEpoch = 9): Uint8Array[] {
  const batches = Array.from({ length: BATCHES }, (_, index) =>
    recordsOf(1_500, { from: 1 + index * 1_500 }).map((record) => ({
      ...record,
      cgroupId: BigInt(index),
      ts: noise(record.seq ?? 0),
    })),
  );
  return dataOf({ kernelEpoch, batches });
}

/** Times that do not compress well, fixed by the number. */
function noise(seq: number): bigint {
  return BigInt(Math.imul(seq, 0x9e37_79b1) >>> 0) * 1_000_003n;
}
