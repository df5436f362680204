/** What must stand before the parts start: user, group, folders. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cliError, reasonOf } from '../errors.ts';
import {
  type Account,
  cannotRun,
  findAccount,
  makeAccount,
  makeSpoolGroup,
  OWN_USER,
  ROOT,
  spoolGroup,
} from './account.ts';
import { compileCacheOf } from './compile-cache.ts';
import { programOf } from './parts.ts';
import type { Places } from './places.ts';

/** What `uninstall` undoes beside the folders; `installed.json` in the data folder. */
export interface Installed {
  readonly user?: string;
  readonly group?: string;
}

export interface Prepared {
  /** ClickHouse and the consumer run as it. */
  readonly account: Account;
  /** What was made or given up, a sentence each. */
  readonly notes: readonly string[];
}

export interface Wanted {
  readonly userName: string;
  /** Folder of a local Kafka's jars; undefined without one. */
  readonly kafkaJars: string | undefined;
}

/** Throws CLI_FOLDER_UNUSABLE, CLI_USER_UNKNOWN, CLI_USER_UNMADE. */
export function prepare(places: Places, { userName, kafkaJars }: Wanted): Prepared {
  const notes: string[] = [];
  assertOwnHome(places);
  makeFolder(places.data, 0o755);
  noteInstalled(places, {});
  let account = accountOf(places, userName, notes);
  const closed = account.uid === 0 ? '' : closedTo(account, places, kafkaJars);
  if (closed !== '') {
    const remedy =
      closed === places.data ? 'give a --home it can reach' : 'move the checkout to /opt or /srv';
    notes.push(
      `user ${account.name} cannot enter ${closed}, so ${kafkaJars ? 'ClickHouse, Kafka' : 'ClickHouse'} and the consumer run as root; ${remedy} to separate them`,
    );
    account = ROOT;
  }
  makeFolder(places.clickhouse, 0o750, account);
  makeFolder(places.log, 0o750);
  const cache = compileCacheOf(account);
  if (cache !== undefined && account.uid !== ROOT.uid) makeFolder(cache, 0o700, account);
  if (kafkaJars !== undefined) makeFolder(places.kafka, 0o750, account);
  if (places.home) {
    makeFolder(places.config, 0o755);
    makeFolder(places.spool, 0o750, { uid: 0, gid: account.spoolGid ?? account.gid });
    // A home of its own has its own configuration: the standard files are another installation's.
    for (const file of [places.agentConfig, places.consumerConfig])
      if (!existsSync(file)) writeFileSync(file, '{}\n', { mode: 0o644 });
  }
  return { account, notes };
}

function accountOf(places: Places, userName: string, notes: string[]): Account {
  if (userName === 'root') return ROOT;
  let account = findAccount(userName);
  let made: Installed = {};
  if (!account) {
    if (userName !== OWN_USER) throw cliError('CLI_USER_UNKNOWN', [userName]);
    account = makeAccount(OWN_USER);
    made = { user: OWN_USER };
    notes.push(`made the system user ${OWN_USER}; 'tcptrail uninstall' removes it`);
  }
  let spoolGid = spoolGroup();
  if (spoolGid === undefined) {
    spoolGid = makeSpoolGroup();
    made = { ...made, group: OWN_USER };
    notes.push(`made the group ${OWN_USER}; 'tcptrail uninstall' removes it`);
  }
  if (made.user ?? made.group) noteInstalled(places, made);
  return { ...account, spoolGid };
}

/** Something of the checkout, or the data folder's way, that `account` may not enter; '' when all is open. */
function closedTo(account: Account, places: Places, kafkaJars: string | undefined): string {
  const kafka = kafkaJars === undefined ? [] : [programOf('kafka'), kafkaJars];
  const programs = [programOf('clickhouse'), programOf('consumer'), ...kafka];
  const files = [...programs.filter((file) => existsSync(file)), places.data];
  for (const file of files) {
    const closed = cannotRun(account, process.execPath, file);
    if (closed !== '') return closed;
  }
  return '';
}

function makeFolder(
  folder: string,
  mode: number,
  owner?: { readonly uid: number; readonly gid: number },
): void {
  try {
    mkdirSync(folder, { recursive: true, mode });
    if (owner) {
      chownSync(folder, owner.uid, owner.gid);
      chmodSync(folder, mode);
    }
  } catch (error) {
    throw cliError('CLI_FOLDER_UNUSABLE', [folder, reasonOf(error)], { cause: error });
  }
}

/** A home is empty, new, or one of ours: `uninstall` removes it. */
function assertOwnHome(places: Places): void {
  if (!places.home || isInstalled(places) || !existsSync(places.home)) return;
  // The lock has made `run/` already.
  const strange = readdirSync(places.home).some((file) => file !== 'run' && file !== 'config');
  if (strange) throw cliError('CLI_HOME_STRANGE', [places.home]);
}

export function isInstalled(places: Places): boolean {
  return existsSync(installedFile(places));
}

const installedFile = (places: Places): string => join(places.data, 'installed.json');

export function readInstalled(places: Places): Installed {
  try {
    return JSON.parse(readFileSync(installedFile(places), 'utf8')) as Installed;
  } catch {
    return {};
  }
}

function noteInstalled(places: Places, made: Installed): void {
  const all = { ...readInstalled(places), ...made };
  writeFileSync(installedFile(places), `${JSON.stringify(all)}\n`);
}
