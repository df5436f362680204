/** Where a reader stands in the spool: `cursor/<reader>.json`, replaced by rename. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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
  /** Undefined when there is none yet. Throws CONSUMER_CURSOR when it cannot be read. */
  load(): Cursor | undefined;
  save(cursor: Cursor): void;
}

export function createCursorFile(spool: string, reader: string): CursorFile {
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
      } catch (error) {
        throw failure(
          'CONSUMER_CURSOR',
          `cursor ${file} is damaged; remove it: stored batches are recognised and not doubled`,
          { cause: error },
        );
      }
    },
    save(cursor) {
      const next = `${file}.${process.pid}`;
      try {
        mkdirSync(folder, { recursive: true });
        writeFileSync(next, `${JSON.stringify(cursor)}\n`);
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
