/** `tcptrail uninstall`: takes back everything `up` made on this machine. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isPinned } from '@tcptrail/agent/trace/pins.ts';
import { cliError, reasonOf } from './errors.ts';
import { stopAgent, stopRunning } from './stop.ts';
import { removeAccount } from './supervise/account.ts';
import { ownsInstance } from './supervise/agent-pid.ts';
import { pinsOf, removePins } from './supervise/pins.ts';
import { agentLock, type Places, placesOf } from './supervise/places.ts';
import { isInstalled, readInstalled } from './supervise/prepare.ts';
import { isAlive } from './supervise/process-info.ts';
import type { RunFile } from './supervise/run-file.ts';
import { ask } from './terminal/ask.ts';

/** As bin/tcptrail has it for root; every instance's, and it comes again by itself. */
const COMPILE_CACHE = '/var/cache/tcptrail';

export interface UninstallOptions {
  readonly home?: string;
  readonly instance: string;
  readonly yes?: boolean;
  readonly keepData?: boolean;
  readonly all?: boolean;
}

export async function uninstall(options: UninstallOptions): Promise<void> {
  if (process.getuid?.() !== 0) throw cliError('CLI_NOT_ROOT', ['uninstall']);
  const places = placesOf(options);
  if (!(await confirmed(options, places))) {
    process.stdout.write('nothing was removed\n');
    return;
  }
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const pid = (await stopRunning(places, false)) ?? (await stopAgent(places));
  if (pid !== undefined) say(`stopped tcptrail (pid ${pid})`);
  const installed = readInstalled(places);
  const folders = foldersOf(places, options);
  if (ownsInstance(places)) {
    const pins = removePins(places.instance);
    if (pins !== '') say(`removed ${pins}`);
  } else if (isPinned(places.instance)) {
    say(
      `kept ${pinsOf(places.instance)}: an agent of another home made it; uninstall that one, or give none`,
    );
  }
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    remove(folder);
    say(`removed ${folder}`);
  }
  if (options.keepData) say(`kept ${places.clickhouse}`);
  if (!options.all && !places.home && existsSync(places.config))
    say(`kept ${places.config}; --all removes it`);
  // What is kept stays the user's.
  if (installed.user && !options.keepData) {
    const problem = await removeAccount(installed.user);
    say(
      problem === '' ? `removed the user ${installed.user}` : `kept the user ${installed.user}: ${problem}`,
    );
  }
}

async function confirmed(options: UninstallOptions, places: Places): Promise<boolean> {
  if (options.yes || process.env['YES'] === '1') return true;
  if (!process.stdin.isTTY) throw cliError('CLI_NOT_CONFIRMED', ['uninstall']);
  const folders = foldersOf(places, options).filter((folder) => existsSync(folder));
  const what = folders.length === 0 ? 'what tcptrail left in the kernel' : folders.join(', ');
  return await ask(`Stop tcptrail and remove ${what}?`);
}

function foldersOf(places: Places, options: UninstallOptions): readonly string[] {
  // A home that `up` did not make may hold folders of the same names.
  if (places.home && !isInstalled(places)) return [];
  const data = options.keepData ? [places.log] : [places.data];
  const config = options.all && !places.home ? [places.config] : [];
  const lock = ownsInstance(places) ? [agentLock(places.instance)] : [];
  const run = places.home ? lock : idleFiles(places);
  const inHome = places.home && options.keepData ? [places.run, places.config] : [];
  const spool = isWithin(places.spool, places.data) && !options.keepData ? [] : [places.spool];
  return [...spool, ...run, ...inHome, ...config, COMPILE_CACHE, ...data];
}

const isWithin = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

/** What stands in the host's run folder and belongs to nothing that runs; the folder itself when that is all. */
function idleFiles(places: Places): readonly string[] {
  let files: readonly string[];
  try {
    files = readdirSync(places.run);
  } catch {
    return [];
  }
  const own = [agentLock(places.instance), places.runFile];
  const idle = files
    .map((file) => join(places.run, file))
    .filter((path) => own.includes(path) || !holderOf(path).some((pid) => existsSync(`/proc/${pid}`)));
  return idle.length === files.length ? [places.run] : idle;
}

/** Processes that a lock or a run file names. */
function holderOf(file: string): readonly number[] {
  const text = readFileSync(file, 'utf8');
  const [pid = ''] = text.split('\n');
  if (/^\d+$/.test(pid)) return [Number(pid)];
  try {
    const { supervisor, parts } = JSON.parse(text) as RunFile;
    return [supervisor, ...Object.values(parts)].filter(isAlive).map(({ pid }) => pid);
  } catch {
    return [];
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw cliError('CLI_FOLDER_UNUSABLE', [path, reasonOf(error)], { cause: error });
  }
}
