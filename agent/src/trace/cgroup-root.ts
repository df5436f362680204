/** The root of the cgroup v2 tree: programs attached there run for every process. */
import { openSync, readFileSync } from 'node:fs';
import { CGROUP2_MISSING, cgroup2Root } from './mounts.ts';

/** A file descriptor, or why there is none. */
export function openCgroupRoot(): number | { readonly missing: string } {
  const path = cgroup2Root(readFileSync('/proc/self/mountinfo', 'utf8'));
  if (path === undefined) return { missing: CGROUP2_MISSING };
  try {
    return openSync(path, 'r');
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
