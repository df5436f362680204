/** What a part writes, kept in a file of bounded size; one older file stays beside it. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const BYTES_MAX = 8 * 1024 * 1024;

export interface LogFile {
  readonly path: string;
  write(line: string): void;
}

export function createLogFile(path: string): LogFile {
  let bytes = 0;
  try {
    mkdirSync(dirname(path), { recursive: true });
    bytes = statSync(path).size;
  } catch {
    // It is not there yet.
  }
  return {
    path,
    write(line) {
      try {
        if (bytes > BYTES_MAX) {
          renameSync(path, `${path}.1`);
          bytes = 0;
        }
        appendFileSync(path, `${line}\n`, { mode: 0o640 });
        bytes += Buffer.byteLength(line) + 1;
      } catch {
        // A full disk must not end the supervisor; the part's own end is still told.
      }
    },
  };
}
