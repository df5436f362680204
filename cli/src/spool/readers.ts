/** The readers of a spool, by their cursors. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Place } from '@tcptrail/spool/cursor.ts';
import { pathIn, unreadable } from './source.ts';

export interface Reader {
  readonly name: string;
  /** Undefined: its cursor does not parse, and it begins anew. */
  readonly place: Place | undefined;
}

/** Throws CLI_SPOOL_UNREADABLE. */
export function readersOf(spool: string): readonly Reader[] {
  const folder = pathIn(spool, 'cursor');
  let files: readonly string[];
  try {
    files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(folder, error);
  }
  return files.toSorted().flatMap((file) => {
    const text = textOf(pathIn(folder, file));
    return text === undefined ? [] : [{ name: basename(file, '.json'), place: placeIn(text) }];
  });
}

/** Undefined when the reader took it away meanwhile. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(file, error);
  }
}

function placeIn(text: string): Place | undefined {
  try {
    const { segment, position } = JSON.parse(text) as Partial<Place>;
    return typeof segment === 'string' && typeof position === 'number' ? { segment, position } : undefined;
  } catch {
    return undefined;
  }
}
