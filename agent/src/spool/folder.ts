/**
 * The spool folder: who may read it, what is in it, how far its readers are.
 *
 *   <segments>.avro  cursor/<reader>.json  set-aside/  state.json  ages.json  lock, and of the host:
 *   clock.json  budget.json  crashes.json  host-id
 */
import { chmodSync, chownSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { comparePlaces, type Place } from '@tcptrail/spool/cursor.ts';
import { parseSegmentName } from '@tcptrail/spool/segment-name.ts';
import { agentError, reasonOf } from '../errors.ts';
import { makeFolder } from './make-folder.ts';

export const SEGMENT_MODE = 0o640;
const FOLDER_MODE = 0o750;
/** Set-group-id and writable for the group: the readers' part of the spool. */
const READERS_MODE = 0o2770;
const GROUP = 'tcptrail';

export interface Segment {
  readonly name: string;
  readonly bytes: number;
}

export interface SpoolFolder {
  readonly path: string;
  /** Group that may read, where it exists. */
  readonly gid: number | undefined;
  /** Makes it with the modes it needs. Throws AGENT_SPOOL_UNUSABLE. */
  make(): void;
  fileOf(segment: string): string;
  /** In the order of writing. */
  segments(): Segment[];
  /** About when its first batch was written, µs since the epoch; 0 when it is gone. */
  sinceUs(segment: string): number;
  /** One a reader, the furthest behind first. A cursor that does not parse holds everything. */
  cursors(): Place[];
}

const START: Place = { segment: '', position: 0 };

export function createSpoolFolder(path: string, deps: { readonly groupFile?: string } = {}): SpoolFolder {
  const gid = groupId(deps.groupFile ?? '/etc/group');
  const cursors = join(path, 'cursor');

  function provide(folder: string, mode: number): void {
    makeFolder(folder);
    if (gid !== undefined) chownSync(folder, -1, gid);
    chmodSync(folder, mode);
  }

  return {
    path,
    gid,
    make() {
      try {
        provide(path, FOLDER_MODE);
        provide(cursors, READERS_MODE);
        provide(join(path, 'set-aside'), READERS_MODE);
      } catch (error) {
        throw agentError('AGENT_SPOOL_UNUSABLE', [path, reasonOf(error)], { cause: error });
      }
    },
    fileOf: (segment) => join(path, segment),
    segments() {
      return filesOf(path)
        .filter((file) => parseSegmentName(file) !== undefined)
        .sort()
        .map((name) => ({ name, bytes: statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0 }));
    },
    sinceUs(segment) {
      const stat = statSync(join(path, segment), { throwIfNoEntry: false });
      // A file system that does not keep when a file was made says 0.
      return Math.round((stat?.birthtimeMs || stat?.mtimeMs || 0) * 1_000);
    },
    cursors: () =>
      filesOf(cursors)
        .filter((file) => file.endsWith('.json'))
        .map((file) => readCursor(join(cursors, file)))
        .sort(comparePlaces),
  };
}

/** Nothing when somebody removed the folder: the spool says so within seconds. */
function filesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readCursor(file: string): Place {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Place>;
    if (typeof value.segment !== 'string' || typeof value.position !== 'number') return START;
    return { segment: value.segment, position: value.position };
  } catch {
    return START;
  }
}

function groupId(file: string): number | undefined {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${GROUP}:`));
    const gid = line?.split(':')[2];
    return gid === undefined ? undefined : Number(gid);
  } catch {
    return undefined;
  }
}
