/** The spool of an agent that publishes: how much Kafka has not acknowledged. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePublishCursor, READER } from '@tcptrail/agent/publish/cursor.ts';
import { reasonOf } from '../errors.ts';
import type { Places } from '../supervise/places.ts';
import { spoolLag } from '../supervise/spool-lag.ts';
import { bytes } from '../terminal/human.ts';
import { type Check, fail, ok, warn } from './check.ts';

export const LAG_BYTES_WARN = 64 * 1024 ** 2;

export function publishedSpool({ spool, log }: Pick<Places, 'spool' | 'log'>): Check {
  try {
    const { bytes: waiting } = spoolLag(spool, READER);
    const doubt = isInDoubt(spool) ? '; what was sent last may have arrived, and goes again, marked' : '';
    if (waiting === 0) return ok('spool', `${spool}: Kafka has everything`);
    const found = `${spool}: ${bytes(waiting)} wait for Kafka${doubt}`;
    if (waiting < LAG_BYTES_WARN) return ok('spool', found);
    return warn('spool', found, `is the agent running? see ${log}/agent.log for what holds it up`);
  } catch (error) {
    return unreadable(spool, error);
  }
}

/** A cursor that is none is told by its reader, which sets it aside. */
function isInDoubt(spool: string): boolean {
  const text = readFileSync(join(spool, 'cursor', `${READER}.json`), 'utf8');
  try {
    return parsePublishCursor(JSON.parse(text)).doubt !== undefined;
  } catch {
    return true;
  }
}

export function unreadable(spool: string, error: unknown): Check {
  const reason = reasonOf(error);
  if (reason === 'EACCES') return warn('spool', `${spool} is not readable for you`, 'run as root');
  return fail('spool', `${spool} cannot be read (${reason})`, 'mend its permissions');
}
