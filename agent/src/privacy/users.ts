/** Users by number, and where paths name them. */
import type { Hashes } from './hash.ts';

export interface Users {
  /** What stands for a user. Root stays: it is no person, and what belongs to nobody bears its number too. */
  mask(uid: number): number;
  /** A path of a file or a cgroup without the person it names. */
  path(path: string): string;
}

/** (uid_t) -1, the number of no user. */
const NO_USER = 0xffff_ffff;
const ROOT = 0;
const KNOWN_MAX = 4_096;
/** user-1000.slice, user@1000.service, user-runtime-dir@1000.service; /user/1000.user of older ones; /run/user/1000. */
const NUMBERS = /(?<=(?:^|\/)user(?:-|@|-runtime-dir@|\/))\d+/g;
/** /home/alice, /var/home/alice. */
const HOMES = /(?<=\/home\/)[^/]+/g;

/** `hashes` undefined: users are dropped. */
export function createUsers(hashes: Hashes | undefined): Users {
  const known = new Map<number, number>();

  function mask(uid: number): number {
    if (uid === ROOT || uid === NO_USER) return uid;
    if (!hashes) return NO_USER;
    const found = known.get(uid);
    if (found !== undefined) return found;
    const masked = hashes.user(uid);
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(uid, masked);
    return masked;
  }
  const number = (digits: string): string => {
    const masked = mask(Number(digits));
    return hashes || masked === ROOT ? String(masked) : '-';
  };
  const name = (text: string): string => (hashes ? hashes.name(text) : '-');
  return {
    mask,
    path: (path) => path.replace(NUMBERS, number).replace(HOMES, name),
  };
}
