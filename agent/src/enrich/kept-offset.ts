/** `clock.json` beside the spool: the clock offset of this boot, so that every run of the agent has the same. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface KeptOffset {
  /** µs; undefined when none is kept of this boot, or the file cannot be read. */
  read(): number | undefined;
  /** Replaces the file as a whole. False when the disk refused. */
  write(offsetUs: number): boolean;
}

interface Content {
  readonly boot_id: string;
  readonly offset_us: number;
}

export function createKeptOffset(config: { readonly file: string; readonly bootId: string }): KeptOffset {
  const { file, bootId } = config;
  return {
    read() {
      try {
        const kept = JSON.parse(readFileSync(file, 'utf8')) as Partial<Content> | null;
        const isOfThisBoot = kept?.boot_id === bootId && Number.isSafeInteger(kept.offset_us);
        return isOfThisBoot ? kept.offset_us : undefined;
      } catch {
        return undefined;
      }
    },
    write(offsetUs) {
      const content: Content = { boot_id: bootId, offset_us: offsetUs };
      try {
        writeFileSync(`${file}.new`, `${JSON.stringify(content)}\n`, { mode: 0o640, flush: true });
        renameSync(`${file}.new`, file);
        return true;
      } catch {
        return false;
      }
    },
  };
}
