/**
 * What the agent gives up once it is attached: root, and every capability but three (docs/decisions/0019).
 *
 * capset(2) changes the calling thread alone. setuid(2) of the C library changes every thread, and a thread that
 * leaves root loses its capabilities unless it asked to keep them. So this thread asks, all change, this one narrows
 * what it kept: the others are left with none, and threads made later have at most what this one has.
 */
import { reasonOf } from '../errors.ts';
import { type Account, findAccount } from './account.ts';
import { CAPABILITY, type Thread, threads } from './capabilities.ts';
import { type Belonging, giveAway } from './give-away.ts';

/** What JavaScript has no way to. Each is of the calling thread, and throws the system's error. */
export interface ThreadRights {
  /** Capabilities outlive the change of the user. */
  keepCapabilities(): void;
  /** Permitted and effective ones become `set`, inheritable ones none. */
  setCapabilities(set: bigint): void;
  /** No program that it runs gains rights by being run. */
  forbidNewRights(): void;
  /** Signal when the parent dies; 0 = none. */
  parentDeathSignal(): number;
  setParentDeathSignal(signal: number): void;
}

export interface Privilege {
  /** As whom the agent goes on. */
  readonly user: string;
  /** As heartbeats and the log tell it; `problem` is '' or why it keeps more than it needs. */
  readonly need: {
    readonly name: 'least_privilege';
    readonly problem: string;
    readonly cost: string;
    readonly remedy: string;
  };
}

/** Kept as far as they were given; what each is for: docs/decisions/0019. */
export const KEPT = CAPABILITY.CAP_BPF | CAPABILITY.CAP_SYS_PTRACE | CAPABILITY.CAP_DAC_READ_SEARCH;
const MAKE_USER = 'make one (useradd --system --user-group tcptrail), or name another as privilege.user';
const GIVE_RIGHTS = 'give it CAP_SETUID, CAP_SETGID and CAP_CHOWN to do so, or leave privilege.user empty';

/** Never throws: an agent that keeps its rights is better than none. */
export function dropPrivilege(
  config: {
    /** '' = go on as started. */
    readonly user: string;
    /** Groups beside the user's own. */
    readonly gids: readonly number[];
    readonly belongings: readonly Belonging[];
  },
  rights: ThreadRights,
): Privilege {
  const { user, gids, belongings } = config;
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return privilege(String(uid));
  if (user === '') return privilege('root', 'privilege.user is empty', 'name the user it is to become');
  const account = findAccount(user);
  if (!account) return privilege('root', `there is no user ${user}`, MAKE_USER);
  if (account.uid === 0) return privilege('root', `privilege.user ${user} is root`, MAKE_USER);
  try {
    giveAway(belongings, account.uid);
    become(account, gids, rights);
  } catch (error) {
    return privilege('root', `it cannot become ${user} (${reasonOf(error)})`, GIVE_RIGHTS);
  }
  const excess = threads().some((thread) => hasMore(thread, account));
  return privilege(user, excess ? 'one of its threads kept rights' : '', 'report this as a defect');
}

function privilege(user: string, why = '', remedy = ''): Privilege {
  const problem = why && `the agent keeps more rights than it needs: ${why}`;
  const cost = 'separation: who takes over the agent may change anything on this host';
  return { user, need: { name: 'least_privilege', problem, cost, remedy } };
}

function become({ uid, gid }: Account, gids: readonly number[], rights: ThreadRights): void {
  const held = threads()[0]?.permitted ?? 0n;
  const signal = rights.parentDeathSignal();
  const parent = process.ppid;
  rights.keepCapabilities();
  process.setgroups?.([...new Set([gid, ...gids])]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  // Where the finer one was not given, the coarse one stands for it.
  const kept = (held & CAPABILITY.CAP_BPF) !== 0n ? KEPT : KEPT | CAPABILITY.CAP_SYS_ADMIN;
  rights.setCapabilities(held & kept);
  rights.forbidNewRights();
  if (signal === 0) return;
  // The kernel forgets it with the change of the user; a parent that died meanwhile is told by nobody else.
  rights.setParentDeathSignal(signal);
  if (process.ppid !== parent) process.kill(process.pid, signal);
}

function hasMore({ uid, permitted, effective }: Thread, account: Account): boolean {
  return uid !== account.uid || ((permitted | effective) & ~(KEPT | CAPABILITY.CAP_SYS_ADMIN)) !== 0n;
}
