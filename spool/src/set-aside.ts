/** Bytes that cannot be stored, kept in `set-aside/` under a name that tells where they came from. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SetAside {
  /** Writes the bytes and why; writing the same name again replaces it. Returns the file's path. */
  put(name: string, bytes: Uint8Array, why: Readonly<Record<string, unknown>>): string;
}

export function createSetAside(spool: string): SetAside {
  const folder = join(spool, 'set-aside');
  return {
    put(name, bytes, why) {
      mkdirSync(folder, { recursive: true });
      const file = join(folder, name);
      writeFileSync(`${file}.json`, `${JSON.stringify(why)}\n`);
      writeFileSync(`${file}.part`, bytes);
      renameSync(`${file}.part`, file);
      return file;
    },
  };
}
