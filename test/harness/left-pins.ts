/** Kernel state of tests that were cut off: nobody goes on with it, and it would record on for a while. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BPFFS } from '@tcptrail/agent/trace/mounts.ts';
import { removeTree } from '@tcptrail/agent/trace/pins.ts';

/** Removes that of instances `<what>-<pid>-…` whose process is gone. */
export function removeLeftPins(pins = join(BPFFS, 'tcptrail'), proc = '/proc'): void {
  for (const instance of existsSync(pins) ? readdirSync(pins) : []) {
    const pid = /^(?:test|up|bench)-(\d+)-/.exec(instance)?.[1];
    if (pid !== undefined && !existsSync(join(proc, pid))) removeTree(join(pins, instance));
  }
}
