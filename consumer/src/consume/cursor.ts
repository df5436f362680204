/** Where a reader stands in the spool: `cursor/<reader>.json`, replaced by rename. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { failure } from '../errors.ts';
import type { BatchIdentity } from './transport.ts';

const SCHEMA = z.object({
  segment: z.string(),
  position: z.number().int().min(0),
  /** The batch before the position: tells the numbers of damaged ones behind it. */
  last: z.object({ hostId: z.string(), agentEpoch: z.number(), batchSeq: z.number() }).optional(),
});

export interface Cursor {
  readonly segment: string;
  readonly position: number;
  readonly last?: BatchIdentity | undefined;
}

export interface CursorFile {
  /** Undefined when there is none yet, or a damaged one, which is set aside. Throws CONSUMER_CURSOR when it cannot be read. */
  load(): Cursor | undefined;
  save(cursor: Cursor): void;
}

export function createCursorFile(
  place: { readonly spool: string; readonly reader: string },
  deps: { readonly onDamaged: (keptAs: string) => void },
): CursorFile {
  const { spool, reader } = place;
  const folder = join(spool, 'cursor');
  const file = join(folder, `${reader}.json`);
  return {
    load() {
      let text = '';
      try {
        text = readFileSync(file, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw failure('CONSUMER_CURSOR', `cursor ${file} cannot be read; give the consumer access`, {
          cause: error,
        });
      }
      try {
        return SCHEMA.parse(JSON.parse(text));
      } catch {
        // Without it reading begins at the oldest segment: stored batches are recognised and not doubled.
        const keptAs = `${file}.damaged`;
        renameSync(file, keptAs);
        deps.onDamaged(keptAs);
        return undefined;
      }
    },
    save(cursor) {
      const next = `${file}.${process.pid}`;
      try {
        mkdirSync(folder, { recursive: true });
        const fd = openSync(next, 'w');
        try {
          writeSync(fd, `${JSON.stringify(cursor)}\n`);
          // A name that survives a power loss must not point to an empty file.
          fsyncSync(fd);
        } finally {
          closeSync(fd);
        }
        renameSync(next, file);
      } catch (error) {
        throw failure(
          'CONSUMER_CURSOR',
          `cursor ${file} cannot be written; make ${folder} writable for the consumer's group`,
          { cause: error },
        );
      }
    },
  };
}
