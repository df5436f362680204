/** Memory of a process, and of the kernel. */
import { readFileSync } from 'node:fs';

export interface Resident {
  readonly rssMb: number;
  readonly rssMbMax: number;
  /** Pages that are mapped twice counted once. */
  readonly pssMb: number;
}

export function residentOf(pid: number): Resident {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return {
    rssMb: megabytes(status, 'VmRSS'),
    rssMbMax: megabytes(status, 'VmHWM'),
    pssMb: megabytes(rollup, 'Pss'),
  };
}

/** The kernel's own objects, socket storage among them. */
export function slabMb(): number {
  return megabytes(readFileSync('/proc/meminfo', 'utf8'), 'Slab');
}

function megabytes(text: string, name: string): number {
  const kibibytes = Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  return Math.round(kibibytes / 102.4) / 10;
}
