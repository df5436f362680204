/** What root made and the agent goes on writing, given to the user that the agent becomes. */
import { existsSync, lchownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Belonging {
  /** A folder; it need not be there. */
  readonly folder: string;
  /** Beginning of the names of what is the agent's in it: all of it when '', only the folder itself when absent. */
  readonly prefix?: string;
  /** What is in its folders too. */
  readonly isTree?: boolean;
}

/** Groups stay: they say who may read. Links are given, not what they point to. Throws the system's error. */
export function giveAway(belongings: readonly Belonging[], uid: number): void {
  for (const { folder, prefix, isTree = false } of belongings) {
    if (!existsSync(folder)) continue;
    const names =
      prefix === undefined
        ? []
        : readdirSync(folder, { recursive: isTree, encoding: 'utf8' }).filter((name) =>
            name.startsWith(prefix),
          );
    for (const name of names) lchownSync(join(folder, name), uid, -1);
    lchownSync(folder, uid, -1);
  }
}
