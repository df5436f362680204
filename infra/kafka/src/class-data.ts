/** What java made of Kafka's classes at one start (its class data sharing): later starts take half as long. */
import { accessSync, constants, existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Ended } from './bound-child.ts';

export interface ClassData {
  /** For any java that runs a program among the jars. */
  readonly use: readonly string[];
  /** For the java that is Kafka: what to leave for the next, where nothing is there yet. */
  readonly make: readonly string[];
  /** When that java is gone. */
  keep(ended: Ended): void;
}

/** java tells of every class that it leaves out. */
const QUIET = '-Xlog:cds=off';

/** Kept beside the jars of `folder`. A java that finds another one's file unfit goes on without. */
export function classData(folder: string, javaVersion: string): ClassData {
  const file = `${folder}-java-${javaVersion}.jsa`;
  if (existsSync(file)) return { use: [`-XX:SharedArchiveFile=${file}`, QUIET], make: [], keep() {} };
  // The name is one that the next fetch of jars removes, if this process is killed.
  const part = `${dirname(folder)}/part-${process.pid}-classes.jsa`;
  return {
    use: [],
    make: isWritable(dirname(folder)) ? [`-XX:ArchiveClassesAtExit=${part}`, QUIET] : [],
    keep({ signal }) {
      if (!existsSync(part)) return;
      // A killed java may have written half of it.
      if (signal === null) renameSync(part, file);
      else rmSync(part, { force: true });
    },
  };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
