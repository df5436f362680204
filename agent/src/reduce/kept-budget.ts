/** `budget.json` beside the spool: what is taken of the byte budget, so that a restart forgives nothing. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BootTime, bootTime } from '@tcptrail/spool/ages.ts';

export interface Taken {
  /** Of a day's budget. */
  readonly bytes: number;
  /** Since it was kept, ms; the time that the machine is off does not count. */
  readonly agoMs: number;
}

export interface KeptBudget {
  /** Nothing taken when there is no file that can be read. */
  read(): Taken;
  /**
   * Replaces the file as a whole, without waiting for the disk: it is called while the rings fill. A disk that refuses,
   * and a power loss, cost what a restart then forgives.
   */
  write(bytes: number): void;
}

interface Content {
  readonly boot_id: string;
  /** Since boot, suspend included, ms. */
  readonly boot_ms: number;
  readonly taken_bytes: number;
}

export function createKeptBudget(
  spool: string,
  deps: { readonly now: () => BootTime } = { now: bootTime },
): KeptBudget {
  const file = join(spool, 'budget.json');
  return {
    read() {
      try {
        const kept = JSON.parse(readFileSync(file, 'utf8')) as Content;
        const now = deps.now();
        const agoMs = Math.max(0, now.ms - (kept.boot_id === now.bootId ? kept.boot_ms : 0));
        const isSound = Number.isFinite(kept.taken_bytes) && Number.isFinite(agoMs);
        return isSound ? { bytes: kept.taken_bytes, agoMs } : { bytes: 0, agoMs: 0 };
      } catch {
        return { bytes: 0, agoMs: 0 };
      }
    },
    write(bytes) {
      const { bootId, ms } = deps.now();
      const content: Content = { boot_id: bootId, boot_ms: Math.round(ms), taken_bytes: Math.round(bytes) };
      try {
        writeFileSync(`${file}.new`, `${JSON.stringify(content)}\n`, { mode: 0o640 });
        renameSync(`${file}.new`, file);
      } catch {}
    },
  };
}
