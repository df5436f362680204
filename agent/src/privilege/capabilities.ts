/** Capabilities of this process as the kernel shows them (capabilities(7)): a set is a number with one bit each. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const CAPABILITY = {
  CAP_DAC_READ_SEARCH: 1n << 2n,
  CAP_SYS_PTRACE: 1n << 19n,
  CAP_SYS_ADMIN: 1n << 21n,
  CAP_BPF: 1n << 39n,
} as const;

export interface Thread {
  /** The effective one. */
  readonly uid: number;
  readonly permitted: bigint;
  readonly effective: bigint;
}

/** Every thread of this process; one that ends meanwhile is left out. */
export function threads(proc = '/proc'): Thread[] {
  const folder = join(proc, 'self/task');
  return readdirSync(folder).flatMap((id) => {
    try {
      return [parseStatus(readFileSync(join(folder, id, 'status'), 'latin1'))];
    } catch {
      return [];
    }
  });
}

/** /proc/<pid>/status (proc_pid_status(5)). */
export function parseStatus(status: string): Thread {
  const words = (field: string): readonly string[] =>
    new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/) ?? [];
  const set = (field: string): bigint => BigInt(`0x${words(field)[0] ?? '0'}`);
  // Real, effective, saved, of the file system.
  return { uid: Number(words('Uid')[1]), permitted: set('CapPrm'), effective: set('CapEff') };
}
