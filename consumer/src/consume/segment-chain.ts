/** The spool's segments one after another, from a cursor on. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Cursor } from './cursor.ts';
import { agentEpochOf, isSegment, openSegment, type Segment, type SegmentRead } from './segment.ts';

export type ChainRead =
  | (Exclude<SegmentRead, { kind: 'end' }> & { readonly segment: string; readonly agentEpoch: number })
  /** A segment of an ended run stops inside a block. */
  | { readonly kind: 'torn'; readonly segment: string; readonly bytes: number }
  | { readonly kind: 'nothing' };

export interface SegmentChain {
  /** The segment the cursor names is gone: the chain begins at the oldest one. */
  readonly isCursorLost: boolean;
  /** Undefined before the first segment. */
  readonly place: { readonly segment: string; readonly position: number } | undefined;
  next(): ChainRead;
  /** Bytes behind the place, over all segments. */
  bytesLeft(): number;
  close(): void;
}

export function openSegmentChain(spool: string, cursor: Cursor | undefined): SegmentChain {
  const list = (): string[] => readdirSync(spool).filter(isSegment).toSorted();
  const after = (name: string): string | undefined => list().find((other) => other > name);
  const present = list();
  const isCursorLost = cursor !== undefined && !present.includes(cursor.segment);
  let current: Segment | undefined;
  if (cursor && !isCursorLost) current = openSegment(spool, cursor.segment, cursor.position);
  let passed = isCursorLost ? cursor.segment : '';

  /** The first segment behind what was passed; all of them when none is: then names run backwards. */
  function begin(): boolean {
    const name = after(passed) ?? list()[0];
    if (name === undefined) return false;
    current = openSegment(spool, name, 0);
    passed = '';
    return true;
  }

  function next(): ChainRead {
    for (;;) {
      if (!current && !begin()) return { kind: 'nothing' };
      const segment = current as Segment;
      const following = after(segment.name);
      // Listed before it is read to its end: a segment that has a successor grows no more.
      const read = segment.read(following !== undefined);
      if (read.kind !== 'end') {
        return { ...read, segment: segment.name, agentEpoch: agentEpochOf(segment.name) };
      }
      if (following === undefined) return { kind: 'nothing' };
      segment.close();
      current = openSegment(spool, following, 0);
      if (read.torn > 0) return { kind: 'torn', segment: segment.name, bytes: read.torn };
    }
  }

  return {
    isCursorLost,
    get place() {
      return current && { segment: current.name, position: current.position };
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
