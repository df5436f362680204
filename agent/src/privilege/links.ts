/**
 * The folders of the spool belong to a user that is not root, and at its start the agent is root: a link in them could
 * lead what it writes anywhere.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { agentError } from '../errors.ts';

/** Looks into each of `folders`; those that are not there hold nothing. Throws AGENT_SPOOL_LINK. */
export function refuseLinks(folders: readonly string[]): void {
  for (const folder of folders) {
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      const isOther = stat?.isFile() === true && stat.nlink > 1;
      if (stat?.isSymbolicLink() || isOther) throw agentError('AGENT_SPOOL_LINK', [path]);
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
