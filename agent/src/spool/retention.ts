/**
 * Bounds the spool: segments that every reader is past go; when that leaves too many bytes, or a segment that is too
 * old, the oldest one that no reader is in goes unread, its rows counted durably before the unlink.
 *
 * A reader writes its cursor before it goes on to the next segment; so it is in the segment of its cursor, or, when
 * the cursor stands at that one's end, in the next.
 */
import { unlinkSync } from 'node:fs';
import type { Ages } from '@tcptrail/spool/ages.ts';
import type { Place } from '@tcptrail/spool/cursor.ts';
import { addRows, countRows, type RowCounts } from './dropped-rows.ts';
import type { Segment, SpoolFolder } from './folder.ts';
import type { StateFile } from './state.ts';

export interface Dropped {
  /** What the spool had too much of. */
  readonly reason: 'bytes' | 'age';
  readonly segment: string;
  readonly bytes: number;
  readonly rows: RowCounts;
}

export interface Retention {
  /** Finishes a drop that was interrupted. Throws the system's error. */
  start(): void;
  /** Deletes what every reader is past, but nothing from `newest` on, which holds the newest batch. Returns the bytes left. */
  release(newest: string): number;
  /** Drops unread segments before `newest` until at most `bytesMax` are left, and none that is older than `ageMaxMs`. */
  makeRoom(newest: string): Dropped[];
}

export function createRetention(
  /** `ageMaxMs`: 0 = none is too old. */
  config: { readonly bytesMax: number; readonly ageMaxMs: number },
  deps: { readonly folder: SpoolFolder; readonly state: StateFile; readonly ages: Pick<Ages, 'ofMs'> },
): Retention {
  const { folder, state, ages } = deps;

  function drop(segment: Segment, from: number): Omit<Dropped, 'reason'> {
    const file = folder.fileOf(segment.name);
    // Counted already when the unlink was refused the last time.
    const rows = state.value.dropping === segment.name ? {} : countRows(file, from);
    state.change({ dropped: addRows(state.value.dropped, rows), dropping: segment.name });
    unlinkSync(file);
    return { segment: segment.name, bytes: segment.bytes, rows };
  }

  const isTooOld = (segment: Segment): boolean =>
    config.ageMaxMs > 0 && ages.ofMs(segment.name) > config.ageMaxMs;

  function release(newest: string): number {
    const segments = folder.segments();
    const slowest = folder.cursors()[0];
    let bytes = sum(segments);
    if (!slowest) return bytes;
    for (const segment of segments) {
      if (segment.name >= slowest.segment || segment.name >= newest) break;
      unlinkSync(folder.fileOf(segment.name));
      bytes -= segment.bytes;
    }
    return bytes;
  }

  return {
    start() {
      const { dropping } = state.value;
      if (folder.segments().some((segment) => segment.name === dropping)) unlinkSync(folder.fileOf(dropping));
    },
    release,
    makeRoom(newest) {
      const dropped: Dropped[] = [];
      for (let bytes = release(newest); ; ) {
        const segments = folder.segments().filter((segment) => segment.name < newest);
        const cursors = folder.cursors();
        const inUse = new Set(cursors.map((cursor) => segmentInUse(cursor, segments)));
        const idle = segments.find((segment) => !inUse.has(segment.name));
        const reason = bytes > config.bytesMax ? 'bytes' : 'age';
        // A reader's segment goes only for its bytes: what of it was read could not be told.
        const victim = reason === 'bytes' ? (idle ?? segments[0]) : idle && isTooOld(idle) ? idle : undefined;
        if (!victim) return dropped;
        const slowest = cursors[0];
        const from = slowest?.segment === victim.name ? slowest.position : 0;
        dropped.push({ reason, ...drop(victim, from) });
        bytes -= victim.bytes;
      }
    },
  };
}

function sum(segments: readonly Segment[]): number {
  return segments.reduce((bytes, segment) => bytes + segment.bytes, 0);
}

function segmentInUse(cursor: Place, segments: readonly Segment[]): string | undefined {
  const at = segments.find((segment) => segment.name >= cursor.segment);
  if (at?.name !== cursor.segment || cursor.position < at.bytes) return at?.name;
  return segments.find((segment) => segment.name > cursor.segment)?.name;
}
