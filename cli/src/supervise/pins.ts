/** What tcptrail pinned on bpffs, for `stop`, `uninstall` and `doctor`. */
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { BPFFS } from '@tcptrail/agent/trace/mounts.ts';
import { removeTree } from '@tcptrail/agent/trace/pins.ts';

const PINS = join(BPFFS, 'tcptrail');

/** Instances of a doctor that was broken off: `doctor-<pid>` of a process that is gone. */
export function removePinsOfGoneDoctors(folder = PINS, proc = '/proc'): void {
  if (!existsSync(folder)) return;
  for (const instance of readdirSync(folder)) {
    const pid = /^doctor-(\d+)$/.exec(instance)?.[1];
    if (pid !== undefined && !existsSync(join(proc, pid))) removeTree(join(folder, instance));
  }
}

/** Folder of the instance's. */
export const pinsOf = (instance: string): string => join(PINS, instance);

/** All of the instance: what recorded for it records no more. Gives the folder, '' when there was none. */
export function removePins(instance: string): string {
  const folder = pinsOf(instance);
  const isThere = existsSync(folder);
  removeTree(folder);
  try {
    rmdirSync(PINS);
  } catch {
    // Not there, or of another instance too.
  }
  return isThere ? folder : '';
}
