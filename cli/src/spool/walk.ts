/** What a segment holds, block by block, while an agent may be writing it. */
import { toNewest } from '@tcptrail/consumer/consume/schema-versions.ts';
import { AppError } from '@tcptrail/schemas/app-error.ts';
import { type BatchEnvelope, decodeEnvelope } from '@tcptrail/schemas/batch.ts';
import { SYNC_BYTES } from '@tcptrail/schemas/container.ts';
import { fingerprintIn } from '@tcptrail/schemas/single-object.ts';
import { openSegment, type Segment } from '@tcptrail/spool/segment.ts';
import { pathIn, unreadable } from './source.ts';

export type Found =
  | {
      readonly kind: 'batch';
      readonly envelope: BatchEnvelope;
      readonly rows: number;
      readonly from: number;
      readonly bytes: number;
      readonly datum: Uint8Array;
    }
  | Damage
  /** The end of a segment that an agent is writing: the beginning of a block. */
  | { readonly kind: 'unfinished'; readonly bytes: number };

export interface Damage {
  readonly kind: 'damage';
  /** SEGMENT_* for bytes that are no block, DECODE_* for a whole block that is no batch. */
  readonly reason: string;
  readonly from: number;
  readonly bytes: number;
  readonly why: string;
}

export interface Walked {
  readonly name: string;
  /** Of the last byte looked at. */
  readonly bytes: number;
  readonly found: Iterable<Found>;
}

/**
 * Walks the segment; `isGrowing`: an agent writes it now. Undefined when the agent deleted it meanwhile.
 * Throws CLI_SPOOL_UNREADABLE.
 */
export function walkSegment(
  spool: string,
  name: string,
  { isGrowing }: { readonly isGrowing: boolean },
): Walked | undefined {
  const segment = opened(spool, name);
  if (!segment) return undefined;
  return {
    name,
    get bytes() {
      return segment.position;
    },
    found: walk(spool, segment, isGrowing),
  };
}

function opened(spool: string, name: string): Segment | undefined {
  try {
    return openSegment(spool, name, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(pathIn(spool, name), error);
  }
}

function* walk(spool: string, segment: Segment, isGrowing: boolean): Generator<Found> {
  try {
    const until = segment.size;
    for (;;) {
      const from = segment.position;
      const read = segment.read(!isGrowing);
      if (read.kind === 'end') {
        if (segment.size > from) yield { kind: 'unfinished', bytes: segment.size - from };
        return;
      }
      if (read.kind === 'batch') {
        yield batchOf(read, { from, bytes: read.bytes });
        if (!read.isMarked) yield unmarked(segment.position);
      } else yield { ...read, bytes: read.bytes.length };
      // What is written faster than it is read would have no end.
      if (isGrowing && segment.position >= until) return;
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unreadable(pathIn(spool, segment.name), error);
  } finally {
    segment.close();
  }
}

function unmarked(end: number): Damage {
  const why = 'the sync marker after a block is wrong; the block is whole, and readers take it';
  return { kind: 'damage', reason: 'SEGMENT_CORRUPT', from: end - SYNC_BYTES, bytes: SYNC_BYTES, why };
}

function batchOf(
  read: { readonly datum: Uint8Array; readonly schema: string },
  at: { readonly from: number; readonly bytes: number },
): Found {
  try {
    const datum = toNewest(fingerprintIn(read.schema), read.datum);
    const { envelope, events } = decodeEnvelope(datum);
    return { kind: 'batch', envelope, rows: events.count, datum, ...at };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { kind: 'damage', reason: error.code, ...at, why: `a block is no batch: ${error.message}` };
  }
}
