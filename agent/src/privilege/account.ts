/** The user that the agent becomes. */
import { readFileSync } from 'node:fs';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** By its name in the files of users (passwd(5)), or as `uid:gid`; undefined when there is none. */
export function findAccount(user: string, passwdFile = '/etc/passwd'): Account | undefined {
  const ids = /^(\d+):(\d+)$/.exec(user);
  if (ids) return { name: user, uid: Number(ids[1]), gid: Number(ids[2]) };
  for (const line of textOf(passwdFile).split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === user && uid && gid) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
