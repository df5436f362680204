/**
 * Paths that the kernel side keeps of processes and cgroups, which may be gone (bpf/names.bpf.h).
 *
 * struct names: u32 bytes, u32 known, then the path's names, the last one first, each ended by a NUL. struct
 * executable: the parent's process_key (u64 start, u32 pid, u32 exec id), then names.
 */

/** A process between two execs. */
export interface ProcessId {
  readonly pid: number;
  /** ns since boot. */
  readonly startNs: bigint;
  /** Programs run before this one. */
  readonly execId: number;
}

const KEY_BYTES = 16;
export const NAMES_BYTES = 1_016;
export const EXECUTABLE_BYTES = KEY_BYTES + NAMES_BYTES;
const HEADER_BYTES = 8;

/** Each of `deps` fills the value and is false when there is no such element. */
export function createKernelNames(deps: {
  readonly executables: (key: Buffer, value: Buffer) => boolean;
  readonly cgroups: (key: Buffer, value: Buffer) => boolean;
}) {
  return {
    /** undefined when it owned no socket lately. '' for `path`: too long to be kept. */
    executable({ pid, startNs, execId }: ProcessId): { path: string; parent: ProcessId } | undefined {
      const key = Buffer.alloc(KEY_BYTES);
      const value = Buffer.alloc(EXECUTABLE_BYTES);
      key.writeBigUInt64LE(startNs);
      key.writeUInt32LE(pid, 8);
      key.writeUInt32LE(execId, 12);
      if (!deps.executables(key, value)) return undefined;
      return {
        path: pathOf(value.subarray(KEY_BYTES)) ?? '',
        parent: {
          startNs: value.readBigUInt64LE(0),
          pid: value.readUInt32LE(8),
          execId: value.readUInt32LE(12),
        },
      };
    },
    /** undefined when it owned no socket lately, or is too deep to be kept. */
    cgroupPath(id: number): string | undefined {
      const key = Buffer.alloc(8);
      const value = Buffer.alloc(NAMES_BYTES);
      key.writeBigUInt64LE(BigInt(id));
      return deps.cgroups(key, value) ? pathOf(value) : undefined;
    },
  };
}

/** undefined when the kernel side could not keep all of it. */
export function pathOf(names: Buffer): string | undefined {
  const bytes = names.readUInt32LE(0);
  const known = names.readUInt32LE(4);
  if (known === 0 || bytes > names.length - HEADER_BYTES) return undefined;
  const text = names.toString('utf8', HEADER_BYTES, HEADER_BYTES + bytes);
  return `/${text.split('\0').slice(0, -1).reverse().join('/')}`;
}
