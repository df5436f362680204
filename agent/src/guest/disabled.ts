/** The file whose presence keeps the agent from running on this host. */
import { lstatSync } from 'node:fs';
import type { AppError } from '@tcptrail/schemas/app-error.ts';
import { agentError, reasonOf } from '../errors.ts';

export interface DisabledFile {
  /**
   * Looks when it is time to; the first time at once, and throws AGENT_DISABLED_UNKNOWN when it may not. Later what
   * was seen last stays.
   */
  isThere(nowMs: number): boolean;
}

const LOOK_MS = 1_000;

export function createDisabledFile(
  path: string,
  { onUnknown }: { readonly onUnknown: (error: AppError) => void },
): DisabledFile {
  let dueMs = Number.NEGATIVE_INFINITY;
  let found: boolean | undefined;

  function look(): boolean {
    try {
      return isDisabled(path);
    } catch (cause) {
      const error = agentError('AGENT_DISABLED_UNKNOWN', [path, reasonOf(cause)], { cause });
      if (found === undefined) throw error;
      onUnknown(error);
      return found;
    }
  }
  return {
    isThere(nowMs) {
      if (nowMs >= dueMs) {
        dueMs = nowMs + LOOK_MS;
        found = look();
      }
      return found ?? false;
    },
  };
}

/** A link to nothing counts as well: somebody has put it there. Throws when the folder refuses to say. */
export function isDisabled(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
