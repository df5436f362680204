/** Spool and data folder: there, writable, room on the disk, reader close behind. */
import { existsSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { READER } from '@tcptrail/agent/publish/cursor.ts';
import type { Places } from '../supervise/places.ts';
import { spoolLag } from '../supervise/spool-lag.ts';
import { bytes } from '../terminal/human.ts';
import { type Check, ok, warn } from './check.ts';
import { LAG_BYTES_WARN, publishedSpool, unreadable } from './published-spool.ts';

const MIB = 1024 ** 2;
/** The agent's default `spool.bytesMax`. */
const FREE_MIN = 512 * MIB;

export function folderChecks(places: Places): readonly Check[] {
  return [disk(places), spool(places)];
}

function disk(places: Places): Check {
  const folder = nearest(places.spool);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= FREE_MIN) return ok('disk', `${bytes(free)} free at ${folder}`);
  return warn(
    'disk',
    `only ${bytes(free)} free at ${folder}`,
    'free space, or lower spool.bytesMax in agent.yaml',
  );
}

function spool(places: Places): Check {
  if (!existsSync(places.spool)) return ok('spool', `${places.spool} will be made by the agent`);
  if (existsSync(join(places.spool, 'cursor', `${READER}.json`))) return publishedSpool(places);
  try {
    const { bytes: waiting, readers } = spoolLag(places.spool);
    if (waiting === 0) return ok('spool', `${places.spool}: everything is stored`);
    const found = `${places.spool}: ${bytes(waiting)} wait for the consumer`;
    if (readers === 0)
      return warn('spool', `${found}, which has never read it`, "start 'tcptrail up' or 'tcptrail consumer'");
    if (waiting < LAG_BYTES_WARN) return ok('spool', found);
    return warn('spool', found, `see ${places.log}/consumer.log for what holds it up`);
  } catch (error) {
    return unreadable(places.spool, error);
  }
}

function nearest(path: string): string {
  return existsSync(path) ? path : nearest(dirname(path));
}
