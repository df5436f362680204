/** How far a reader is behind the end of the spool. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '@tcptrail/spool/cursor.ts';
import { parseSegmentName } from '@tcptrail/spool/segment-name.ts';

export interface SpoolLag {
  /** Bytes no reader has passed: the slowest one counts. */
  readonly bytes: number;
  /** Readers with a cursor. */
  readonly readers: number;
}

/** Of every reader, or of `reader` alone. Throws a system error when the folder cannot be read. */
export function spoolLag(spool: string, reader?: string): SpoolLag {
  const segments = readdirSync(spool).filter((file) => parseSegmentName(file) !== undefined);
  const cursors = cursorsOf(join(spool, 'cursor'), reader);
  const sizes = segments.map((name) => ({ name, bytes: statSync(join(spool, name)).size }));
  const behind = (cursor: Place): number =>
    sizes.reduce((sum, { name, bytes }) => {
      if (name < cursor.segment) return sum;
      return sum + (name === cursor.segment ? Math.max(0, bytes - cursor.position) : bytes);
    }, 0);
  const lags = cursors.map(behind);
  const nobody = behind({ segment: '', position: 0 });
  return { bytes: lags.length === 0 ? nobody : Math.max(...lags), readers: cursors.length };
}

function cursorsOf(folder: string, reader: string | undefined): readonly Place[] {
  let files: readonly string[];
  try {
    files = readdirSync(folder).filter((file) =>
      reader === undefined ? file.endsWith('.json') : file === `${reader}.json`,
    );
  } catch {
    return [];
  }
  return files.map((file) => {
    try {
      return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Place;
    } catch {
      // A cursor that does not parse holds everything.
      return { segment: '', position: 0 };
    }
  });
}
