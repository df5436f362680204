/** Bytes that cannot be stored, kept in `set-aside/` under a name that tells where they came from. */
import { join } from 'node:path';
import { failure } from '../errors.ts';
import { makeFolder } from './make-folder.ts';
import { replaceFile } from './replace-file.ts';

export interface SetAside {
  /**
   * Writes the bytes and why; writing the same name again replaces it. Returns the file's path.
   * Throws CONSUMER_SET_ASIDE: then the reader must not go on behind them.
   */
  put(name: string, bytes: Uint8Array, why: Readonly<Record<string, unknown>>): string;
}

export function createSetAside(spool: string): SetAside {
  const folder = join(spool, 'set-aside');
  return {
    put(name, bytes, why) {
      const file = join(folder, name);
      try {
        makeFolder(folder);
        replaceFile(`${file}.json`, `${JSON.stringify(why)}\n`);
        replaceFile(file, bytes);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        throw failure(
          'CONSUMER_SET_ASIDE',
          `${file} cannot be written (${code}); make ${folder} writable for the consumer's group, with ${bytes.length} bytes free`,
          { cause: error },
        );
      }
      return file;
    },
  };
}
