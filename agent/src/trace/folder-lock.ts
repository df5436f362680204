/**
 * One agent a folder of pins. The lock of the instance stands in /run, and a container beside its host has a /run of its
 * own; where both see one bpffs, they see one folder.
 */
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';

/** A file descriptor that holds it, by `lock` (flock, without waiting); undefined: another process does. Throws what the file system says. */
export function lockFolder(folder: string, lock: (fd: number) => boolean): number | undefined {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    // The one before may have ended, and removed it, since it was opened.
    if (lock(fd) && fstatSync(fd).ino === statSync(folder).ino) return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return undefined;
}
