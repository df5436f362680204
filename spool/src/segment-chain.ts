/** The spool's segments one after another, from a cursor on. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import type { Place } from './cursor.ts';
import { spoolError } from './errors.ts';
import { openSegment, type Segment, type SegmentRead } from './segment.ts';
import { parseSegmentName } from './segment-name.ts';

export type ChainRead =
  | (Exclude<SegmentRead, { kind: 'end' }> & { readonly segment: string; readonly agentEpoch: number })
  | { readonly kind: 'nothing' };

export interface SegmentChain {
  /** The cursor does not fit: its segment is gone, and the chain begins behind it; or shorter, and it begins there anew. */
  readonly isCursorLost: boolean;
  /** Undefined before the first segment. */
  readonly place: Place | undefined;
  /** All that the segment of the place holds now was read. */
  readonly isAtEnd: boolean;
  next(): ChainRead;
  /** Bytes behind the place, over all segments. */
  bytesLeft(): number;
  close(): void;
}

export function openSegmentChain(spool: string, cursor: Place | undefined): SegmentChain {
  const list = (): string[] =>
    readdirSync(spool)
      .filter((file) => parseSegmentName(file) !== undefined)
      .toSorted();
  const after = (name: string): string | undefined => list().find((other) => other > name);
  const present = list();
  const isGone = cursor !== undefined && !present.includes(cursor.segment);
  const isShorter = cursor !== undefined && !isGone && cursor.position > sizeOf(join(spool, cursor.segment));
  let current: Segment | undefined;
  if (cursor && !isGone) current = open(cursor.segment, isShorter ? 0 : cursor.position);
  let passed = isGone ? cursor.segment : '';

  /** Undefined when the agent deleted it meanwhile. Throws SPOOL_SEGMENT when it cannot be read. */
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

  /** The first segment behind what was passed; all of them when none is: then names run backwards. */
  function begin(): boolean {
    const name = after(passed) ?? list()[0];
    if (name === undefined) return false;
    passed = name;
    current = open(name, 0);
    return true;
  }

  function next(): ChainRead {
    for (;;) {
      if (!current && !begin()) return { kind: 'nothing' };
      if (!current) continue;
      const segment = current;
      let read = readOn(segment, false);
      const following = read.kind === 'end' ? after(segment.name) : undefined;
      // A segment that has a successor grows no more; it may have grown until the successor came.
      if (following !== undefined) read = readOn(segment, true);
      if (read.kind !== 'end') {
        return {
          ...read,
          segment: segment.name,
          agentEpoch: parseSegmentName(segment.name)?.agentEpoch ?? 0,
        };
      }
      if (following === undefined) return { kind: 'nothing' };
      segment.close();
      passed = segment.name;
      current = undefined;
    }
  }

  return {
    isCursorLost: isGone || isShorter,
    get place() {
      return current && { segment: current.name, position: current.position };
    },
    get isAtEnd() {
      return !current || current.position >= current.size;
    },
    next,
    bytesLeft() {
      const from = current?.name ?? '';
      const later = list().filter((name) => name > from);
      const bytes = later.reduce((sum, name) => sum + sizeOf(join(spool, name)), 0);
      return bytes + (current ? current.size - current.position : 0);
    },
    close: () => current?.close(),
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function unreadable(spool: string, name: string, cause: unknown): AppError {
  const why = (cause as NodeJS.ErrnoException)?.code ?? String(cause);
  const remedy = 'give its reader access, or move it out of the spool';
  return spoolError('SPOOL_SEGMENT', `${join(spool, name)} cannot be read (${why}); ${remedy}`, cause);
}
