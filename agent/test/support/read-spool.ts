/**
 * Batches of a spool as an independent decoder reads them, each decoded once: tests ask again and again, and the whole
 * machine is recorded.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { batchesOf } from '../../src/spool/segment-reader.ts';
import { type OracleBatch, readDatum } from './oracle.ts';

interface Segment {
  readonly batches: OracleBatch[];
  /** Where the last of them begins. */
  last: number | undefined;
  /** Size when it was read. */
  bytes: number;
}

const known = new Map<string, Segment>();

/** All whole batches, in the order of writing. Throws ENOENT when a segment is dropped or renamed meanwhile. */
export function readSpool(path: string): readonly OracleBatch[] {
  if (!existsSync(path)) return [];
  const names = readdirSync(path).filter((name) => name.endsWith('.avro'));
  return names.sort().flatMap((name) => readSegment(join(path, name)));
}

function readSegment(file: string): readonly OracleBatch[] {
  const bytes = statSync(file).size;
  let segment = known.get(file);
  if (!segment || bytes < segment.bytes) segment = { batches: [], last: undefined, bytes: 0 };
  for (const { datum, position } of batchesOf(file, segment.last)) {
    if (position === segment.last) continue;
    segment.batches.push(readDatum(datum));
    segment.last = position;
  }
  segment.bytes = bytes;
  known.set(file, segment);
  return segment.batches;
}
