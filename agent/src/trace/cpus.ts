/** CPUs this machine can ever have: the kernel's counters and every record's `cpu` are numbered below their end. */
import { readFileSync } from 'node:fs';

const POSSIBLE = '/sys/devices/system/cpu/possible';
/** More than any kernel is built for. */
const CPUS_MAX = 65_536;

/** One more than the highest possible CPU, as in `0-7` or `0,2-3`; all that a record can say when it is not told. */
export function possibleCpus(file = POSSIBLE): number {
  const highest = /(\d+)\s*$/.exec(textOf(file))?.[1];
  return highest === undefined ? CPUS_MAX : Number(highest) + 1;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
