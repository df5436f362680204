/** /proc/<pid>/mountinfo (proc_pid_mountinfo(5)): what is mounted where. Pure. */

/** Where the file system for pins belongs. */
export const BPFFS = '/sys/fs/bpf';

export interface Mount {
  /** What of the file system is mounted; `/` is all of it. */
  readonly root: string;
  readonly path: string;
  readonly type: string;
}

/** In the order of mounting. */
export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [place = '', device = ''] = line.split(' - ');
    const [, , , root, path] = place.split(' ');
    const [type] = device.split(' ');
    return root && path && type ? [{ root: plain(root), path: plain(path), type }] : [];
  });
}

export function isMounted(
  mountinfo: string,
  wanted: { readonly type: string; readonly path: string },
): boolean {
  // The last one over a path is what is seen there.
  return parseMounts(mountinfo).findLast(({ path }) => path === wanted.path)?.type === wanted.type;
}

/** Said of the agent's surroundings and of each program that needs it, so that it can be told once. */
export const CGROUP2_MISSING = 'the root of the cgroup2 tree is not mounted';

/**
 * Where the root of the cgroup2 tree is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside version 1.
 * undefined when it is not, or only a branch of it.
 */
export function cgroup2Root(mountinfo: string): string | undefined {
  return parseMounts(mountinfo).find(({ type, root }) => type === 'cgroup2' && root === '/')?.path;
}

/** Blank, tab, newline and backslash stand as octal numbers. */
function plain(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
