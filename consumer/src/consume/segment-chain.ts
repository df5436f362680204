/** The spool's segments one after another, from a cursor on. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { failure } from '../errors.ts';
import type { Cursor } from './cursor.ts';
import { agentEpochOf, isSegment, numberOf, openSegment, type Segment, type SegmentRead } from './segment.ts';

export type ChainRead =
  | (Exclude<SegmentRead, { kind: 'end' }> & { readonly segment: string; readonly agentEpoch: number })
  /** A segment whose batches nobody can read any more; `why` follows its name. */
  | { readonly kind: 'missing'; readonly segment: string; readonly why: string }
  | { readonly kind: 'nothing' };

export interface SegmentChain {
  /** The cursor does not fit: its segment is gone, and the chain begins behind it; or shorter, and it begins there anew. */
  readonly isCursorLost: boolean;
  /** Undefined before the first segment. */
  readonly place: { readonly segment: string; readonly position: number } | undefined;
  /** Throws CONSUMER_SEGMENT or CONSUMER_SPOOL_MISSING when the system does not let it read. */
  next(): ChainRead;
  /** Bytes behind the place, over all segments. */
  bytesLeft(): number;
  close(): void;
}

/** Throws CONSUMER_SPOOL_MISSING when the folder cannot be listed, CONSUMER_SEGMENT as `next` does. */
export function openSegmentChain(spool: string, cursor: Cursor | undefined): SegmentChain {
  const after = (name: string): string | undefined => listSegments(spool).find((other) => other > name);
  const present = listSegments(spool);
  const isGone = cursor !== undefined && !present.includes(cursor.segment);
  const isShorter = cursor !== undefined && !isGone && cursor.position > sizeOf(join(spool, cursor.segment));
  let current: Segment | undefined;
  /** Name of the last segment done with; '' = begin at the oldest. */
  let passed = '';
  // A cursor beyond all names: they run backwards, and none of them was read.
  if (isGone && present.some((name) => name > cursor.segment)) passed = cursor.segment;
  if (cursor && !isGone) {
    passed = cursor.segment;
    current = open(cursor.segment, isShorter ? 0 : cursor.position);
  }

  /** Undefined when the agent deleted it meanwhile. */
  function open(name: string, position: number): Segment | undefined {
    try {
      return openSegment(spool, name, position);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw unreadable(spool, name, error);
    }
  }

  function readOn(segment: Segment, isComplete: boolean): SegmentRead {
    try {
      return segment.read(isComplete);
    } catch (error) {
      throw unreadable(spool, segment.name, error);
    }
  }

  /** Opens the first segment behind what was passed. Undefined when nothing is to be told. */
  function begin(): ChainRead | undefined {
    const name = after(passed);
    if (name === undefined) return { kind: 'nothing' };
    const before = passed;
    current = open(name, 0);
    passed = name;
    if (!current) return { kind: 'missing', segment: name, why: 'was deleted before it was read' };
    const gap = numberOf(name) - numberOf(before) - 1;
    if (before === '' || agentEpochOf(before) !== agentEpochOf(name) || gap === 0) return undefined;
    return { kind: 'missing', segment: before, why: `had ${gap} successors that were deleted unread` };
  }

  function next(): ChainRead {
    for (;;) {
      if (!current) {
        const told = begin();
        if (told) return told;
        continue;
      }
      const segment = current;
      let read = readOn(segment, false);
      const following = read.kind === 'end' ? after(segment.name) : undefined;
      // A segment that has a successor grows no more; it may have grown until the successor came.
      if (following !== undefined) read = readOn(segment, true);
      if (read.kind !== 'end') {
        return { ...read, segment: segment.name, agentEpoch: agentEpochOf(segment.name) };
      }
      if (following === undefined) return { kind: 'nothing' };
      const isEmptied = segment.size === 0 || segment.size < segment.position;
      segment.close();
      current = undefined;
      if (isEmptied) return { kind: 'missing', segment: segment.name, why: 'was emptied' };
    }
  }

  return {
    isCursorLost: isGone || isShorter,
    get place() {
      return current && { segment: current.name, position: current.position };
    },
    next,
    bytesLeft() {
      const from = current?.name ?? passed;
      const later = listSegments(spool).filter((name) => name > from);
      const bytes = later.reduce((sum, name) => sum + sizeOf(join(spool, name)), 0);
      return bytes + (current ? current.size - current.position : 0);
    },
    close: () => current?.close(),
  };
}

function listSegments(spool: string): readonly string[] {
  try {
    return readdirSync(spool).filter(isSegment).toSorted();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw failure(
      'CONSUMER_SPOOL_MISSING',
      `spool folder ${spool} cannot be read (${code}); give the consumer access or set spool.path`,
      { cause },
    );
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function unreadable(spool: string, name: string, cause: unknown): AppError {
  const why = (cause as NodeJS.ErrnoException)?.code ?? String(cause);
  return failure(
    'CONSUMER_SEGMENT',
    `${join(spool, name)} cannot be read (${why}); give the consumer access, or move it out of the spool`,
    { cause },
  );
}
