/** What root made and the agent goes on writing, given to the user that the agent becomes. */
import { chmodSync, existsSync, lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Belonging {
  /** A folder; it need not be there. */
  readonly folder: string;
  /** Whether what has this name in it is the agent's. */
  readonly isOurs: (name: string) => boolean;
  /** What is in its folders too. */
  readonly isTree?: boolean;
}

/** Others' too: root's, and of the user's group, where each removes only what it made (sticky). */
const SHARED_MODE = 0o1770;

/** Groups stay: they say who may read. Links are given, not what they point to. Throws the system's error. */
export function giveAway(belongings: readonly Belonging[], uid: number): void {
  for (const { folder, isOurs, isTree = false } of belongings) {
    if (!existsSync(folder)) continue;
    const names = readdirSync(folder, { recursive: isTree, encoding: 'utf8' });
    for (const name of names) if (isOurs(name)) lchownSync(join(folder, name), uid, -1);
    lchownSync(folder, uid, -1);
  }
}

/** A folder in which agents of other users have their own; it need not be there. Throws the system's error. */
export function share(folder: string, gid: number): void {
  if (!existsSync(folder)) return;
  lchownSync(folder, 0, gid);
  chmodSync(folder, SHARED_MODE);
}
