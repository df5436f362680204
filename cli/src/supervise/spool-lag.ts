/** How far a reader is behind the end of the spool. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface SpoolLag {
  /** Bytes no reader has passed: the slowest one counts. */
  readonly bytes: number;
  /** Readers with a cursor. */
  readonly readers: number;
}

interface Cursor {
  readonly segment: string;
  readonly position: number;
}

const SEGMENT = /^\d{16}-\d{8}\.avro$/;

/** Throws a system error when the folder cannot be read. */
export function spoolLag(spool: string): SpoolLag {
  const segments = readdirSync(spool).filter((file) => SEGMENT.test(file));
  const cursors = cursorsOf(join(spool, 'cursor'));
  const sizes = segments.map((name) => ({ name, bytes: statSync(join(spool, name)).size }));
  const behind = (cursor: Cursor): number =>
    sizes.reduce((sum, { name, bytes }) => {
      if (name < cursor.segment) return sum;
      return sum + (name === cursor.segment ? Math.max(0, bytes - cursor.position) : bytes);
    }, 0);
  const lags = cursors.map(behind);
  const nobody = behind({ segment: '', position: 0 });
  return { bytes: lags.length === 0 ? nobody : Math.max(...lags), readers: cursors.length };
}

function cursorsOf(folder: string): readonly Cursor[] {
  let files: readonly string[];
  try {
    files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  } catch {
    return [];
  }
  return files.map((file) => {
    try {
      return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Cursor;
    } catch {
      // A cursor that does not parse holds everything.
      return { segment: '', position: 0 };
    }
  });
}
