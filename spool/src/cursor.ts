/** Where a reader stands in the spool: `cursor/<reader>.json`, replaced by rename. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { spoolError } from './errors.ts';

/** A byte of the spool: everything before it was read. */
export interface Place {
  readonly segment: string;
  readonly position: number;
}

export interface CursorFile<C extends Place> {
  /** Undefined when there is none yet, or a damaged one, which is set aside. Throws SPOOL_CURSOR when it cannot be read. */
  load(): C | undefined;
  /** Survives a kill; with `durable` (the default) a power loss too. Throws SPOOL_CURSOR. */
  save(cursor: C, options?: { readonly durable: boolean }): void;
}

export interface CursorConfig<C extends Place> {
  readonly spool: string;
  readonly reader: string;
  /** Throws when the value is no cursor of this reader. */
  readonly parse: (value: unknown) => C;
}

export function createCursorFile<C extends Place>(
  config: CursorConfig<C>,
  deps: { readonly onDamaged: (keptAs: string) => void },
): CursorFile<C> {
  const folder = join(config.spool, 'cursor');
  const file = join(folder, `${config.reader}.json`);
  return {
    load() {
      let text = '';
      try {
        text = readFileSync(file, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw spoolError('SPOOL_CURSOR', `cursor ${file} cannot be read; give its reader access`, error);
      }
      try {
        return config.parse(JSON.parse(text));
      } catch {
        const keptAs = `${file}.damaged`;
        renameSync(file, keptAs);
        deps.onDamaged(keptAs);
        return undefined;
      }
    },
    save(cursor, { durable } = { durable: true }) {
      const next = `${file}.${process.pid}`;
      try {
        mkdirSync(folder, { recursive: true });
        const fd = openSync(next, 'w');
        try {
          writeSync(fd, `${JSON.stringify(cursor)}\n`);
          // A name that survives a power loss must not point to an empty file.
          if (durable) fsyncSync(fd);
        } finally {
          closeSync(fd);
        }
        renameSync(next, file);
      } catch (error) {
        const reason = (error as NodeJS.ErrnoException).code ?? String(error);
        const remedy =
          reason === 'ENOSPC'
            ? 'free space there'
            : `make ${folder} writable for the group that reads the spool`;
        throw spoolError('SPOOL_CURSOR', `cursor ${file} cannot be written (${reason}); ${remedy}`, error);
      }
    },
  };
}

/** Order of two places in the spool. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.segment !== b.segment) return a.segment < b.segment ? -1 : 1;
  return a.position - b.position;
}
