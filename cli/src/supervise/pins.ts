/** What tcptrail pinned on bpffs, for `uninstall` and `doctor`. */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BPFFS } from '@tcptrail/agent/trace/mounts.ts';

/** Paths pinned for `instance`. */
export function pinsOf(instance: string): readonly string[] {
  const folder = join(BPFFS, 'tcptrail', instance);
  try {
    return readdirSync(folder).map((file) => join(folder, file));
  } catch {
    return [];
  }
}

/** Instances of a doctor that was broken off: `doctor-<pid>` of a process that is gone. */
export function removePinsOfGoneDoctors(folder = join(BPFFS, 'tcptrail'), proc = '/proc'): void {
  if (!existsSync(folder)) return;
  for (const instance of readdirSync(folder)) {
    const pid = /^doctor-(\d+)$/.exec(instance)?.[1];
    if (pid !== undefined && !existsSync(join(proc, pid)))
      rmSync(join(folder, instance), { recursive: true });
  }
}

/** Removes them and the folders they were in; gives what was removed. */
export function removePins(instance: string): readonly string[] {
  const pins = pinsOf(instance);
  for (const pin of pins) rmSync(pin, { force: true });
  removeEmptyFolders(instance);
  return pins;
}

/** Removes what is known of each socket, for the end of `up`: no agent comes back for it. What was not told stays. */
export function forgetConnections(instance: string): void {
  for (const pin of pinsOf(instance))
    if (basename(pin).startsWith('connections-')) rmSync(pin, { force: true });
  removeEmptyFolders(instance);
}

/** Removes the folders of `instance` that hold no pin. */
export function removeEmptyFolders(instance: string): void {
  for (const folder of [join(BPFFS, 'tcptrail', instance), join(BPFFS, 'tcptrail')]) {
    try {
      rmdirSync(folder);
    } catch {
      // Not there, or pins are in it.
    }
  }
}
