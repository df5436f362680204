/** The file whose presence keeps the agent from running on this host. */
import { lstatSync } from 'node:fs';

export interface DisabledFile {
  /** Looks when it is time to; the first time at once. */
  isThere(nowMs: number): boolean;
}

const LOOK_MS = 1_000;

export function createDisabledFile(path: string): DisabledFile {
  let dueMs = Number.NEGATIVE_INFINITY;
  let found = false;
  return {
    isThere(nowMs) {
      if (nowMs >= dueMs) {
        dueMs = nowMs + LOOK_MS;
        found = isDisabled(path);
      }
      return found;
    },
  };
}

/** A link to nothing counts as well: somebody has put it there. */
export function isDisabled(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
