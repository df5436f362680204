/** The unprivileged user that ClickHouse and the consumer run as. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { cliError, reasonOf } from '../errors.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Group that may read the spool, beside its own. */
  readonly spoolGid?: number;
}

export const ROOT: Account = { name: 'root', uid: 0, gid: 0 };
/** The only user that `up` makes by itself, and the group that may read the spool. */
export const OWN_USER = 'tcptrail';

export function findAccount(name: string): Account | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return named(name);
}

/** Users that are not in /etc/passwd (LDAP, systemd). */
function named(name: string): Account | undefined {
  const { stdout, status } = spawnSync('getent', ['passwd', name], { encoding: 'utf8' });
  const [, , uid, gid] = (status === 0 ? stdout : '').trim().split(':');
  return uid && gid ? { name, uid: Number(uid), gid: Number(gid) } : undefined;
}

/** Makes the system user with a group of its name. Throws CLI_USER_UNMADE. */
export function makeAccount(name: string): Account {
  const args = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
  const made = spawnSync('useradd', [...args, '--shell', '/usr/sbin/nologin', name], { encoding: 'utf8' });
  const account = findAccount(name);
  if (account) return account;
  const reason = made.error
    ? reasonOf(made.error)
    : made.stderr.trim().split('\n').at(-1) || `code ${made.status}`;
  throw cliError('CLI_USER_UNMADE', [name, reason]);
}

/** Group id of the spool's group, undefined when there is none. */
export function spoolGroup(): number | undefined {
  const { stdout, status } = spawnSync('getent', ['group', OWN_USER], { encoding: 'utf8' });
  const gid = status === 0 ? stdout.split(':')[2] : undefined;
  return gid === undefined ? undefined : Number(gid);
}

/** Makes the spool's group; only needed where the user is another one. Throws CLI_USER_UNMADE. */
export function makeSpoolGroup(): number {
  const made = spawnSync('groupadd', ['--system', OWN_USER], { encoding: 'utf8' });
  const gid = spoolGroup();
  if (gid !== undefined) return gid;
  throw cliError('CLI_USER_UNMADE', [OWN_USER, made.error ? reasonOf(made.error) : made.stderr.trim()]);
}

const REMOVE_TRIES = 20;
const REMOVE_WAIT_MS = 250;

/** Removes the user and its group; gives why not, '' when done. A process of it may take a moment to be gone. */
export async function removeAccount(name: string): Promise<string> {
  for (let left = REMOVE_TRIES; ; left--) {
    const removed = spawnSync('userdel', [name], { encoding: 'utf8' });
    if (removed.error) return reasonOf(removed.error);
    if (removed.status === 0) return '';
    const reason = removed.stderr.trim().replace(/^userdel: /, '');
    if (left === 0 || !reason.includes('currently used')) return reason;
    await delay(REMOVE_WAIT_MS);
  }
}

/**
 * Whether `account` can read `file` and run `node`: a checkout under /root is closed to it.
 * Gives what it cannot, '' when all is well.
 */
export function cannotRun(account: Account, node: string, file: string): string {
  const script = 'require("node:fs").accessSync(process.argv[1], 4)';
  const args = [...switchTo(account), node, '-e', script, file];
  const tried = spawnSync('setpriv', args, { encoding: 'utf8', cwd: '/' });
  if (tried.error) throw cliError('CLI_TOOL_MISSING', ['setpriv', 'util-linux'], { cause: tried.error });
  if (tried.status === 0) return '';
  return tried.stderr.includes('EACCES') && tried.stderr.includes(file) ? file : node;
}

/** Arguments of setpriv that turn root into `account`, for good; whoever it is, no program gives it new rights. */
export function switchTo(account: Account): readonly string[] {
  const forever = ['--inh-caps=-all', '--no-new-privs'];
  if (account.uid === 0) return forever;
  const ids = ['--reuid', String(account.uid), '--regid', String(account.gid)];
  const groups = [account.gid, account.spoolGid ?? account.gid].join(',');
  return [...ids, '--groups', groups, ...forever];
}
