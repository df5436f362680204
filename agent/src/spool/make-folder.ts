/**
 * A folder and its parents. Not by `recursive`: where a file system answers ENOENT although the parent is there
 * (/proc), Node.js 24 tries again for ever.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Throws the system's error; a folder that is there is fine. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    makeLast(path);
  }
}

function makeLast(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
