/** The root of the cgroup v2 hierarchy: programs attached there run for every process. */
import { openSync, readFileSync } from 'node:fs';

/** Mount point out of /proc/self/mounts; undefined when cgroup v2 is not mounted. */
export function cgroupRootOf(mounts: string): string | undefined {
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, , type]) => type === 'cgroup2')?.[1];
}

/** A file descriptor, or why there is none. */
export function openCgroupRoot(): number | { readonly missing: string } {
  const path = cgroupRootOf(readFileSync('/proc/self/mounts', 'utf8'));
  if (path === undefined) return { missing: 'cgroup v2 is not mounted' };
  try {
    return openSync(path, 'r');
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
