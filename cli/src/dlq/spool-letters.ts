/** Letters in the set-aside/ of a spool. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { unreadable } from '../spool/source.ts';
import type { Letter, LetterBox } from './letters.ts';

/** Reads nothing yet. */
export function openSpoolLetters(spool: string): LetterBox {
  const folder = join(spool, 'set-aside');
  return {
    place: folder,
    async each(use) {
      for (const name of filesIn(folder)) use(letterOf(folder, name));
    },
    isBeforeConsumer: () => false,
    remove({ id }) {
      // Its bytes last: without them nothing tells that there was more.
      rmSync(join(folder, `${id}.json`), { force: true });
      rmSync(join(folder, id), { force: true });
    },
  };
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.(parked|damaged)$/.test(name))
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(folder, error);
  }
}

function letterOf(folder: string, id: string): Letter {
  const file = join(folder, id);
  try {
    const why = whyOf(file);
    const text = (name: string): string => String(why[name] ?? '');
    const isBatch = id.endsWith('.parked');
    return {
      id,
      origin: isBatch ? text('origin') : text('segment'),
      originPartition: Number(why['originPartition'] ?? 0),
      originOffset: Number(why[isBatch ? 'originOffset' : 'from'] ?? 0),
      reason: isBatch ? text('reason') : 'SEGMENT_DAMAGED',
      detail: text(isBatch ? 'detail' : 'why'),
      parkedUs: Math.round(statSync(file).mtimeMs * 1000),
      form: isBatch ? 'message' : 'damage',
      value: readFileSync(file),
    };
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Empty where a discard was killed between the two files. */
function whyOf(file: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return {};
    throw error;
  }
}
